/** Why somebody is to be erased, or kept: free text of a person's record, sealed under that person's own key. */
import type { DataKey, Engine } from '../../engine/index.ts'
import { isErased } from '../subject-store.ts'

type Field = 'erasure' | 'legal-hold' | 'legal-hold-release'

const place = (tenant: string, field: Field, id: string): string => `careloop ${field} reason\n${tenant}\n${id}`

export const sealReason = (key: DataKey, tenant: string, field: Field, id: string, reason: string): Buffer =>
  key.seal(Buffer.from(reason, 'utf8'), place(tenant, field, id))

/** @returns undefined once the person is erased */
export async function openReason(
  engine: Pick<Engine, 'keys'>,
  keyId: string,
  tenant: string,
  field: Field,
  { id, sealed }: { readonly id: string; readonly sealed: Uint8Array },
): Promise<string | undefined> {
  try {
    return (await engine.keys.key(keyId)).open(sealed, place(tenant, field, id)).toString('utf8')
  } catch (error) {
    if (isErased(error)) return undefined
    throw error
  }
}
