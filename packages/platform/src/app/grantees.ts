/** To whom a patient may give a consent by name: caregivers with an account at their chart, and systems with a service token. */
import type { GranteeKind } from '@careloop/contract'
import type { Identity } from '../identity/index.ts'

export async function granteesOf(
  { persons, serviceTokens }: Pick<Identity, 'persons' | 'serviceTokens'>,
  tenant: string,
  subject: string,
): Promise<ReadonlyMap<string, { kind: GranteeKind; name: string }>> {
  const caregivers = (await persons.of(tenant, subject)).flatMap(({ kind, user, name, state }) =>
    kind === 'caregiver' && user !== null && state !== 'ended' ? [{ id: user, kind, name: name ?? 'Caregiver' }] : [],
  )
  const systems = (await serviceTokens(tenant)).flatMap(({ id, name, revokedAt }) =>
    revokedAt === null ? [{ id, kind: 'integration' as const, name }] : [],
  )
  return new Map([...caregivers, ...systems].map(({ id, kind, name }) => [id, { kind, name }]))
}
