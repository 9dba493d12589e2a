/**
 * Claim codes: ten characters by which a device fetches its own credential, once. An operator makes one for a device that is new, was
 * reset or whose certificate ran out; nothing else lets such a device in again.
 */
import { createHmac, randomInt } from 'node:crypto'
import type { ClaimCodeMade, ClaimCodeView, NewClaimCode } from '@careloop/contract'
import type { Engine, TenantTx } from '../engine/index.ts'
import { audited, type By } from '../subjects/index.ts'
import { deviceNotFound } from './devices.ts'
import { fleetFailure } from './errors.ts'
import { type FleetTables, toMs, toMsOrNull } from './schema.ts'

const HOUR_MS = 3_600_000
/** Without I, L, O and U, which people take for others (Crockford's base 32): 50 bits in ten characters. */
const ALPHABET = '0123456789ABCDEFGHJKMNPQRSTVWXYZ'
const LENGTH = 10

/** Makes a code and shows it this once. Codes made for the device before are void. @throws Failure `device-not-found` */
export async function makeClaimCode(
  engine: Engine,
  by: By,
  device: string,
  wanted: NewClaimCode,
): Promise<ClaimCodeMade> {
  const code = Array.from({ length: LENGTH }, () => ALPHABET[randomInt(ALPHABET.length)]).join('')
  const hmac = await hmacOf(engine, code)
  const id = engine.ids.uuid()
  const now = engine.clock.now()
  const expiresAt = now + wanted.hours * HOUR_MS
  await engine.db.asTenant(by.tenant, async (tx) => {
    const tables = tx.tables<FleetTables>()
    const found = await tables.selectFrom('device').select('id').where('id', '=', device).forUpdate().executeTakeFirst()
    if (found === undefined) throw deviceNotFound()
    await voidClaims(tx, device, now)
    await tables
      .insertInto('claim_code')
      .values({ id, device_id: device, created_at: now, created_by: by.actor, expires_at: expiresAt })
      .execute()
    await tx.client.query('select engine.register_claim($1, $2, $3)', [hmac, device, id])
    await audited(tx, by, 'create', 'credential', { id, purpose: 'HOPERAT' })
  })
  return { id, code: `${code.slice(0, 5)}-${code.slice(5)}`, expiresAt }
}

/** Ends a code that was not used yet; again is fine. @throws Failure `claim-not-found` */
export const voidClaimCode = (engine: Engine, by: By, device: string, claim: string): Promise<void> =>
  engine.db.asTenant(by.tenant, async (tx) => {
    const tables = tx.tables<FleetTables>()
    const row = await tables
      .selectFrom('claim_code')
      .select(['used_at', 'revoked_at'])
      .where('id', '=', claim)
      .where('device_id', '=', device)
      .forUpdate()
      .executeTakeFirst()
    if (row === undefined)
      throw fleetFailure('claim-not-found', 'The device has no such code. List its codes.', {
        pointer: '/params/claim',
      })
    if (row.used_at !== null || row.revoked_at !== null) return
    await tables.updateTable('claim_code').set({ revoked_at: engine.clock.now() }).where('id', '=', claim).execute()
    await audited(tx, by, 'revoke', 'credential', { id: claim, purpose: 'HOPERAT' })
  })

/** Newest first, never the code itself. @throws Failure `device-not-found` */
export const listClaimCodes = (engine: Engine, tenant: string, device: string): Promise<ClaimCodeView[]> =>
  engine.db.asTenant(tenant, async (tx) => {
    const tables = tx.tables<FleetTables>()
    const found = await tables.selectFrom('device').select('id').where('id', '=', device).executeTakeFirst()
    if (found === undefined) throw deviceNotFound()
    const rows = await tables
      .selectFrom('claim_code')
      .selectAll()
      .where('device_id', '=', device)
      .orderBy('id', 'desc')
      .limit(50)
      .execute()
    return rows.map((row) => ({
      ...{ id: row.id, createdAt: toMs(row.created_at), expiresAt: toMs(row.expires_at) },
      ...{ usedAt: toMsOrNull(row.used_at), revokedAt: toMsOrNull(row.revoked_at) },
    }))
  })

/** Whose code this is. */
export interface ClaimPlace {
  readonly tenant: string
  readonly device: string
  readonly claim: string
}

/** Whether it still holds is seen under the row's lock only: `useClaim`. @returns null when no code was ever like this */
export async function placeOfCode(engine: Engine, shown: string): Promise<ClaimPlace | null> {
  const code = normalised(shown)
  if (code === null) return null
  const hmac = await hmacOf(engine, code)
  return engine.db.asEngine(async ({ client }) => {
    const { rows } = await client.query<{ tenant_id: string; device_id: string; claim_id: string }>(
      'select tenant_id, device_id, claim_id from engine.claim_code where hmac = $1',
      [hmac],
    )
    const row = rows[0]
    return row === undefined ? null : { tenant: row.tenant_id, device: row.device_id, claim: row.claim_id }
  })
}

/** Takes the code, under its lock. `used`: somebody has taken it before. */
export async function useClaim(tx: TenantTx, claim: string, now: number): Promise<'taken' | 'used' | 'over'> {
  const tables = tx.tables<FleetTables>()
  const row = await tables.selectFrom('claim_code').selectAll().where('id', '=', claim).forUpdate().executeTakeFirst()
  if (row === undefined) return 'over'
  if (row.used_at !== null) return 'used'
  if (row.revoked_at !== null || toMs(row.expires_at) <= now) return 'over'
  await tables.updateTable('claim_code').set({ used_at: now }).where('id', '=', claim).execute()
  return 'taken'
}

async function voidClaims(tx: TenantTx, device: string, now: number): Promise<void> {
  await tx
    .tables<FleetTables>()
    .updateTable('claim_code')
    .set({ revoked_at: now })
    .where('device_id', '=', device)
    .where('used_at', 'is', null)
    .where('revoked_at', 'is', null)
    .execute()
}

/** As people type it: small letters, hyphens, O for 0, I or L for 1. */
function normalised(shown: string): string | null {
  const code = shown.toUpperCase().replaceAll(/[\s-]/g, '').replaceAll('O', '0').replaceAll(/[IL]/g, '1')
  return code.length === LENGTH && [...code].every((letter) => ALPHABET.includes(letter)) ? code : null
}

async function hmacOf(engine: Engine, code: string): Promise<Buffer> {
  const key = await engine.keys.keyFor('auth', 'device-claims')
  return createHmac('sha256', key.raw).update('device claim ').update(code).digest()
}
