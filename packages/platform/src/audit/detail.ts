import type { DataKey, TenantTx } from '../engine/index.ts'
import type { SealedDetail } from './entry.ts'

/**
 * Seals what an entry must remember but may not show: a search text, a reason, the fields that changed.
 * @param key the subject's key when it tells of one (so that erasing the person erases it), else the tenant's
 */
export function sealDetail(tx: Pick<TenantTx, 'tenant'>, key: DataKey, detail: unknown): SealedDetail {
  const plain = Buffer.from(JSON.stringify(detail), 'utf8')
  return { keyId: key.id, sealed: key.seal(plain, place(tx.tenant)) }
}

/** @throws Failure `seal-broken`, or `key-destroyed` from the key */
export function openDetail(tx: Pick<TenantTx, 'tenant'>, key: DataKey, detail: SealedDetail): unknown {
  return JSON.parse(key.open(detail.sealed, place(tx.tenant)).toString('utf8'))
}

function place(tenant: string): string {
  return `careloop audit detail ${tenant}`
}
