/** The identity provider of an organisation, as an administrator has set it up. One each. */
import type { Role, SetIdentityProvider } from '@careloop/contract'
import type { DataKey, Engine } from '../engine/index.ts'
import { endSessions } from './access-changed.ts'
import { type ActedBy, recordAct } from './acted-by.ts'
import { fail } from './errors.ts'

export interface SsoProvider {
  readonly id: string
  readonly tenant: string
  readonly slug: string
  readonly name: string
  readonly issuer: string
  readonly clientId: string
  /** null = a public client. Never log it. */
  readonly clientSecret: string | null
  readonly groupsClaim: string
  readonly roleMap: readonly { readonly group: string; readonly roles: readonly Role[] }[]
  readonly emailDomains: readonly string[]
  readonly linkExisting: boolean
  readonly mfaAcr: readonly string[]
  readonly mfaAmr: readonly string[]
  readonly isEnabled: boolean
  readonly updatedAt: number
}

export async function providerOfTenant(engine: Engine, key: DataKey, tenant: string): Promise<SsoProvider | null> {
  const { rows } = await engine.db.pool.query<ProviderRow>(
    'select * from auth.identity_provider where tenant_id = $1',
    [tenant],
  )
  return rows[0] === undefined ? null : providerOf(rows[0], key)
}

/** Switched on or not. */
export async function providerOfSlug(engine: Engine, key: DataKey, slug: string): Promise<SsoProvider | null> {
  const { rows } = await engine.db.pool.query<ProviderRow>('select * from auth.identity_provider where slug = $1', [
    slug,
  ])
  return rows[0] === undefined ? null : providerOf(rows[0], key)
}

/**
 * The provider to offer to whoever opens the sign-in page: of an installation with one organisation. With several, each has its own
 * link: whose else may sign in here is nobody's business.
 */
export async function onlyProvider(engine: Engine): Promise<{ slug: string; name: string } | null> {
  const { rows } = await engine.db.pool.query<{ slug: string; name: string }>(
    `select slug, name from auth.identity_provider
      where is_enabled and (select count(*) from (select from engine.tenant limit 2) two) = 1`,
  )
  return rows[0] ?? null
}

/** Puts the settings in place of those before. @throws Failure `identity-provider-taken` */
export async function saveProvider(
  engine: Engine,
  key: DataKey,
  tenant: string,
  wanted: SetIdentityProvider,
  by: ActedBy,
): Promise<void> {
  await engine.db.asEngine(async (tx) => {
    const before = await tx.client.query<{ id: string; client_secret: Buffer | null }>(
      'select id, client_secret from auth.identity_provider where tenant_id = $1 for update',
      [tenant],
    )
    const id = before.rows[0]?.id ?? engine.ids.uuid()
    const kept = before.rows[0]?.client_secret ?? null
    const { clientSecret } = wanted
    const secret =
      clientSecret === undefined ? kept : clientSecret === null ? null : key.seal(Buffer.from(clientSecret), aadOf(id))
    const saved = await tx.client.query(
      `insert into auth.identity_provider (id, tenant_id, slug, name, issuer, client_id, client_secret, groups_claim, role_map,
         email_domains, link_existing, mfa_acr, mfa_amr, is_enabled, updated_at)
       select $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15
        where not exists (select from auth.identity_provider where slug = $3 and tenant_id <> $2)
       on conflict (tenant_id) do update set slug = excluded.slug, name = excluded.name, issuer = excluded.issuer,
         client_id = excluded.client_id, client_secret = excluded.client_secret, groups_claim = excluded.groups_claim,
         role_map = excluded.role_map, email_domains = excluded.email_domains, link_existing = excluded.link_existing,
         mfa_acr = excluded.mfa_acr, mfa_amr = excluded.mfa_amr, is_enabled = excluded.is_enabled,
         updated_at = excluded.updated_at`,
      [
        ...[id, tenant, wanted.slug, wanted.name, wanted.issuer, wanted.clientId, secret, wanted.groupsClaim],
        ...[JSON.stringify(wanted.roleMap), wanted.emailDomains, wanted.linkExisting, wanted.mfaAcr, wanted.mfaAmr],
        ...[wanted.isEnabled, new Date(engine.clock.now())],
      ],
    )
    if (saved.rowCount !== 1)
      throw fail('identity-provider-taken', 'Another link has this name. Choose another.', { pointer: '/body/slug' })
    // What was begun under the settings of before does not end under these.
    await tx.client.query('delete from auth.sso_attempt where provider_id = $1', [id])
    await tx.client.query('delete from auth.challenge where sso_tenant_id = $1', [tenant])
    await recordAct(tx, { tenant, by, action: 'update', resource: 'identity-provider', id })
  })
}

/** Accounts stay, and with them what people did; nobody signs in by it any more. @throws Failure `identity-provider-not-found` */
export async function removeProvider(engine: Engine, tenant: string, by: ActedBy): Promise<void> {
  await engine.db.asEngine(async (tx) => {
    const { rows } = await tx.client.query<{ id: string }>(
      'delete from auth.identity_provider where tenant_id = $1 returning id',
      [tenant],
    )
    if (rows[0] === undefined) throw notFound()
    // Those who signed in by it are asked anew, by what is left to them.
    const signedIn = await tx.client.query<{ user_id: string }>(
      `select distinct s.user_id from auth.session s join auth.sso_session o on o.session_id = s.id where o.tenant_id = $1`,
      [tenant],
    )
    for (const { user_id } of signedIn.rows) await endSessions(tx, user_id)
    await tx.client.query('delete from auth.challenge where sso_tenant_id = $1', [tenant])
    await recordAct(tx, { tenant, by, action: 'delete', resource: 'identity-provider', id: rows[0].id })
  })
}

export const notFound = () =>
  fail('identity-provider-not-found', 'No identity provider is set up here. Ask an administrator.')

const aadOf = (id: string): string => `auth.identity_provider ${id} client_secret`

interface ProviderRow {
  readonly id: string
  readonly tenant_id: string
  readonly slug: string
  readonly name: string
  readonly issuer: string
  readonly client_id: string
  readonly client_secret: Buffer | null
  readonly groups_claim: string
  readonly role_map: { group: string; roles: Role[] }[]
  readonly email_domains: string[]
  readonly link_existing: boolean
  readonly mfa_acr: string[]
  readonly mfa_amr: string[]
  readonly is_enabled: boolean
  readonly updated_at: Date
}

const providerOf = (row: ProviderRow, key: DataKey): SsoProvider => ({
  ...{ id: row.id, tenant: row.tenant_id, slug: row.slug, name: row.name, issuer: row.issuer, clientId: row.client_id },
  clientSecret: row.client_secret === null ? null : key.open(row.client_secret, aadOf(row.id)).toString(),
  ...{ groupsClaim: row.groups_claim, roleMap: row.role_map, emailDomains: row.email_domains },
  ...{ linkExisting: row.link_existing, mfaAcr: row.mfa_acr, mfaAmr: row.mfa_amr, isEnabled: row.is_enabled },
  updatedAt: row.updated_at.getTime(),
})
