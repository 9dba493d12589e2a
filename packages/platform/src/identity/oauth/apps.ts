/** Apps as administrators register them: who they are, where they may be given back to, and the most that they can be granted. */
import type { AppBody, AppKind, NewApp, SetApp } from '@careloop/contract'
import { type Engine, type EngineTx, type OutboundPolicy, publicOnly } from '../../engine/index.ts'
import { type ActedBy, recordAct } from '../acted-by.ts'
import { fail } from '../errors.ts'
import { sha256 } from '../service-tokens.ts'
import { type AppSettings, assertFit } from './app-settings.ts'

/** An app as the endpoints know it. */
export interface App extends AppBody {
  readonly tenant: string
  /** Of its secret. */
  readonly secretSha256: Buffer | null
}

export interface Apps {
  list(tenant: string): Promise<AppBody[]>
  /** Those that a patient's page can open. */
  launchable(tenant: string): Promise<{ id: string; name: string }[]>
  /** @returns the secret of one that has one: the only time it is seen @throws Failure `app-unfit`, `outbound-url-refused` */
  create(tenant: string, wanted: NewApp, by: ActedBy): Promise<{ app: AppBody; secret: string | null }>
  /** @throws Failure `app-not-found`, `app-unfit`, `outbound-url-refused` */
  change(tenant: string, id: string, wanted: SetApp, by: ActedBy): Promise<AppBody>
  /** The one before opens nothing from then on. @throws Failure `app-not-found`, `app-unfit` */
  renewSecret(tenant: string, id: string, by: ActedBy): Promise<{ app: AppBody; secret: string }>
  /** Null for an unknown one; a disabled one is there. */
  byId(id: string): Promise<App | null>
}

export function makeApps(engine: Engine, outbound: OutboundPolicy = publicOnly): Apps {
  return {
    async list(tenant) {
      const { rows } = await engine.db.pool.query<AppRow>(
        'select * from auth.app where tenant_id = $1 order by disabled_at is not null, created_at desc, id',
        [tenant],
      )
      return rows.map(bodyOf)
    },
    async launchable(tenant) {
      const { rows } = await engine.db.pool.query<{ id: string; name: string }>(
        `select id, name from auth.app where tenant_id = $1 and disabled_at is null and launch_url is not null
          order by name, id`,
        [tenant],
      )
      return rows
    },
    create: (tenant, wanted, by) => createApp(engine, outbound, tenant, wanted, by),
    change: (tenant, id, wanted, by) => changeApp(engine, outbound, { tenant, id }, wanted, by),
    renewSecret: (tenant, id, by) => renewSecret(engine, { tenant, id }, by),
    byId: (id) => appById(engine, id),
  }
}

async function createApp(engine: Engine, outbound: OutboundPolicy, tenant: string, wanted: NewApp, by: ActedBy) {
  const { kind } = wanted
  const fit = await assertFit(outbound, kind, wanted)
  const secret = kind === 'symmetric' ? engine.ids.token('csk') : null
  const id = engine.ids.uuid()
  const app = await engine.db.asEngine(async (tx) => {
    const { rows } = await tx.client.query<AppRow>(
      `insert into auth.app (id, tenant_id, kind, name, redirect_uris, launch_url, scopes, jwks, jwks_uri, secret_sha256,
         created_by, created_at)
       values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12) returning *`,
      [
        ...[id, tenant, kind, ...columnsOf(fit), secret === null ? null : sha256(secret), by.actor],
        new Date(engine.clock.now()),
      ],
    )
    await recordAct(tx, { tenant, by, action: 'create', resource: 'app', id })
    return bodyOf(rows[0]!)
  })
  return { app, secret }
}

interface Which {
  readonly tenant: string
  readonly id: string
}

async function changeApp(engine: Engine, outbound: OutboundPolicy, which: Which, wanted: SetApp, by: ActedBy) {
  const known = await appById(engine, which.id)
  if (known === null || known.tenant !== which.tenant) throw appNotFound()
  const fit = await assertFit(outbound, known.kind, wanted)
  return engine.db.asEngine(async (tx) => {
    const { disabled_at: disabledAt } = await lockApp(tx, which)
    const ended = wanted.isEnabled ? null : (disabledAt ?? new Date(engine.clock.now()))
    const { rows } = await tx.client.query<AppRow>(
      `update auth.app set name = $2, redirect_uris = $3, launch_url = $4, scopes = $5, jwks = $6, jwks_uri = $7, disabled_at = $8
        where id = $1 returning *`,
      [which.id, ...columnsOf(fit), ended],
    )
    if (ended !== null && disabledAt === null) await endAll(tx, which, ended)
    const action = ended === null || disabledAt !== null ? 'update' : 'revoke'
    await recordAct(tx, { tenant: which.tenant, by, action, resource: 'app', id: which.id })
    return bodyOf(rows[0]!)
  })
}

/** Who switches it on again later is not asked for what people allowed before: they allow it anew. */
async function endAll(tx: EngineTx, { tenant, id }: Which, at: Date): Promise<void> {
  await tx.client.query('update auth.app_grant set ended_at = $2 where app_id = $1 and ended_at is null', [id, at])
  await tx.client.query('update auth.app_token set ended_at = $2 where app_id = $1 and ended_at is null', [id, at])
  await tx.publish(tenant, { type: 'AccessChanged', principal: id })
}

async function renewSecret(engine: Engine, which: Which, by: ActedBy) {
  const secret = engine.ids.token('csk')
  const app = await engine.db.asEngine(async (tx) => {
    const { kind } = await lockApp(tx, which)
    if (kind !== 'symmetric')
      throw fail('app-unfit', 'This app has no secret: it proves itself by its keys or by PKCE.')
    const { rows } = await tx.client.query<AppRow>('update auth.app set secret_sha256 = $2 where id = $1 returning *', [
      ...[which.id, sha256(secret)],
    ])
    await recordAct(tx, { tenant: which.tenant, by, action: 'update', resource: 'app', id: which.id })
    return bodyOf(rows[0]!)
  })
  return { app, secret }
}

async function lockApp(tx: EngineTx, { tenant, id }: Which): Promise<AppRow> {
  const query = 'select * from auth.app where id = $1 and tenant_id = $2 for update'
  const { rows } = await tx.client.query<AppRow>(query, [id, tenant])
  if (rows[0] !== undefined) return rows[0]
  throw appNotFound()
}

const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i

async function appById(engine: Engine, id: string): Promise<App | null> {
  if (!uuid.test(id)) return null
  const { rows } = await engine.db.pool.query<AppRow>('select * from auth.app where id = $1', [id])
  const row = rows[0]
  return row === undefined ? null : { ...bodyOf(row), tenant: row.tenant_id, secretSha256: row.secret_sha256 }
}

export const appNotFound = (pointer = '/params/id') =>
  fail('app-not-found', 'No such app is registered here. Ask an administrator.', { pointer })

const columnsOf = ({ name, redirectUris, launchUrl, scopes, jwks, jwksUri }: AppSettings): unknown[] => [
  ...[name, redirectUris, launchUrl, scopes, jwks === null ? null : JSON.stringify(jwks), jwksUri],
]

const bodyOf = (row: AppRow): AppBody => ({
  ...{ id: row.id, name: row.name, kind: row.kind, redirectUris: row.redirect_uris, launchUrl: row.launch_url },
  ...{ scopes: row.scopes, jwks: row.jwks, jwksUri: row.jwks_uri, createdAt: row.created_at.getTime() },
  disabledAt: row.disabled_at?.getTime() ?? null,
})

interface AppRow {
  readonly id: string
  readonly tenant_id: string
  readonly name: string
  readonly kind: AppKind
  readonly redirect_uris: string[]
  readonly launch_url: string | null
  readonly scopes: string[]
  readonly secret_sha256: Buffer | null
  readonly jwks: AppBody['jwks']
  readonly jwks_uri: string | null
  readonly created_at: Date
  readonly disabled_at: Date | null
}
