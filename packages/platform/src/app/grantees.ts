/** To whom a patient may give a consent by name: caregivers with an account at their chart, systems with a service token, apps. */
import type { GranteeKind } from '@careloop/contract'
import type { Identity } from '../identity/index.ts'

export async function granteesOf(
  { persons, serviceTokens, smart }: Pick<Identity, 'persons' | 'serviceTokens' | 'smart'>,
  tenant: string,
  subject: string,
): Promise<ReadonlyMap<string, { kind: GranteeKind; name: string }>> {
  const caregivers = (await persons.of(tenant, subject)).flatMap(({ kind, user, name, state }) =>
    kind === 'caregiver' && user !== null && state !== 'ended' ? [{ id: user, kind, name: name ?? 'Caregiver' }] : [],
  )
  const systems = (await serviceTokens(tenant)).flatMap(({ id, name, revokedAt }) =>
    revokedAt === null ? [{ id, kind: 'integration' as const, name }] : [],
  )
  // Those that ask by themselves; one that a person opens asks in that person's name.
  const apps = (await smart.apps.list(tenant)).flatMap(({ id, name, scopes, disabledAt }) =>
    disabledAt === null && scopes.some((scope) => scope.startsWith('system/'))
      ? [{ id, kind: 'integration' as const, name }]
      : [],
  )
  return new Map([...caregivers, ...systems, ...apps].map(({ id, kind, name }) => [id, { kind, name }]))
}
