/**
 * Screens on walls. An administrator makes one and gets a link that opens once; the screen that opens it gets a credential of its
 * own in a cookie that no script reads. It shows one board, read only, until it expires or is revoked.
 */
import type { DisplayBoard, DisplayBody, DisplayState } from '@careloop/contract'
import type { Engine, EngineTx } from '../engine/index.ts'
import { type ActedBy, recordAct } from './acted-by.ts'
import { fail } from './errors.ts'
import type { DisplayPrincipal } from './principal.ts'
import { sha256 } from './service-tokens.ts'

const dayMs = 24 * 3_600_000
/** A day to walk to the wall and open the link, ms. */
const linkMs = dayMs
/** When a screen was last seen is told within this, ms: it asks often, and each write is a write. */
const seenWithinMs = 60_000

export interface NewDisplayOf {
  readonly tenant: string
  readonly name: string
  readonly board: DisplayBoard
  readonly days: number
}

export interface OfferedDisplay {
  readonly display: DisplayBody
  /** Of the one-time link: the only time it is seen. */
  readonly token: string
  readonly linkExpiresAt: number
}

export interface Displays {
  list(tenant: string): Promise<DisplayBody[]>
  create(wanted: NewDisplayOf, by: ActedBy): Promise<OfferedDisplay>
  /** A new link; the screen that shows now goes on until it is opened. @throws Failure `display-not-found`, `display-over` */
  renewLink(tenant: string, id: string, by: ActedBy): Promise<OfferedDisplay>
  /** From the next request on it shows nothing; its live stream ends. @throws Failure `display-not-found` */
  revoke(tenant: string, id: string, by: ActedBy): Promise<void>
  /** Takes the one-time link. @returns what the screen's cookie holds @throws Failure `display-link-refused` */
  open(token: string, requestId: string): Promise<{ readonly credential: string; readonly expiresAt: number }>
  /** Null for an unknown, expired or revoked credential. */
  byCredential(credential: string): Promise<DisplayPrincipal | null>
}

export const makeDisplays = (engine: Engine): Displays => ({
  list: (tenant) => listDisplays(engine, tenant),
  create: (wanted, by) => createDisplay(engine, wanted, by),
  renewLink: (tenant, id, by) => renewLink(engine, tenant, id, by),
  revoke: (tenant, id, by) => revokeDisplay(engine, tenant, id, by),
  open: (token, requestId) => openDisplay(engine, token, requestId),
  byCredential: (credential) => displayByCredential(engine, credential),
})

async function listDisplays(engine: Engine, tenant: string): Promise<DisplayBody[]> {
  const { rows } = await engine.db.pool.query<DisplayRow>(
    'select * from auth.display where tenant_id = $1 order by revoked_at is not null, created_at desc, id',
    [tenant],
  )
  return rows.map((row) => bodyOf(row, engine.clock.now()))
}

async function createDisplay(engine: Engine, wanted: NewDisplayOf, by: ActedBy): Promise<OfferedDisplay> {
  const { tenant, name, board, days } = wanted
  const { token, linkExpiresAt } = newLink(engine)
  const now = engine.clock.now()
  return engine.db.asEngine(async (tx) => {
    const { rows } = await tx.client.query<DisplayRow>(
      `insert into auth.display (id, tenant_id, name, board, created_by, created_at, expires_at, link_sha256, link_expires_at)
       values ($1, $2, $3, $4, $5, $6, $7, $8, $9) returning *`,
      [
        ...[engine.ids.uuid(), tenant, name, board, by.actor, new Date(now), new Date(now + days * dayMs)],
        ...[sha256(token), new Date(linkExpiresAt)],
      ],
    )
    const row = rows[0]!
    await changed(tx, row, by, 'create')
    return { display: bodyOf(row, now), token, linkExpiresAt }
  })
}

async function renewLink(engine: Engine, tenant: string, id: string, by: ActedBy): Promise<OfferedDisplay> {
  const { token, linkExpiresAt } = newLink(engine)
  const now = engine.clock.now()
  return engine.db.asEngine(async (tx) => {
    const row = await lockDisplay(tx, tenant, id)
    if (row.revoked_at !== null || row.expires_at.getTime() <= now)
      throw fail('display-over', 'This screen was revoked or has expired. Make a new one.', { pointer: '/params/id' })
    const { rows } = await tx.client.query<DisplayRow>(
      'update auth.display set link_sha256 = $2, link_expires_at = $3 where id = $1 returning *',
      [id, sha256(token), new Date(linkExpiresAt)],
    )
    await changed(tx, row, by, 'update')
    return { display: bodyOf(rows[0]!, now), token, linkExpiresAt }
  })
}

function newLink(engine: Engine): { token: string; linkExpiresAt: number } {
  return { token: engine.ids.token('clw'), linkExpiresAt: engine.clock.now() + linkMs }
}

async function revokeDisplay(engine: Engine, tenant: string, id: string, by: ActedBy): Promise<void> {
  await engine.db.asEngine(async (tx) => {
    const row = await lockDisplay(tx, tenant, id)
    if (row.revoked_at !== null) return
    await tx.client.query(
      `update auth.display set revoked_at = $2, sha256 = null, link_sha256 = null, link_expires_at = null where id = $1`,
      [id, new Date(engine.clock.now())],
    )
    await changed(tx, row, by, 'revoke')
  })
}

async function openDisplay(engine: Engine, token: string, requestId: string) {
  const now = engine.clock.now()
  const credential = engine.ids.token('clw')
  return engine.db.asEngine(async (tx) => {
    // Updating takes the row's lock: of two that open the same link at once one finds nothing.
    const { rows } = await tx.client.query<DisplayRow>(
      `update auth.display set sha256 = $3, opened_at = $2, last_seen_at = $2, link_sha256 = null, link_expires_at = null
        where link_sha256 = $1 and link_expires_at > $2 and expires_at > $2 and revoked_at is null returning *`,
      [sha256(token), new Date(now), sha256(credential)],
    )
    const row = rows[0]
    if (row === undefined)
      throw fail('display-link-refused', 'This link was used or has expired. Ask for a new one.', {
        pointer: '/body/token',
      })
    await changed(tx, row, { actor: `display:${row.id}`, requestId }, 'login')
    return { credential, expiresAt: row.expires_at.getTime() }
  })
}

async function displayByCredential(engine: Engine, credential: string): Promise<DisplayPrincipal | null> {
  const now = new Date(engine.clock.now())
  const { rows } = await engine.db.pool.query<DisplayRow>(
    'select * from auth.display where sha256 = $1 and revoked_at is null and expires_at > $2',
    [sha256(credential), now],
  )
  const row = rows[0]
  if (row === undefined) return null
  if (row.last_seen_at === null || now.getTime() - row.last_seen_at.getTime() >= seenWithinMs)
    await engine.db.pool.query('update auth.display set last_seen_at = $2 where id = $1', [row.id, now])
  const { id, tenant_id: tenant, name, board } = row
  return { kind: 'display', tenant, id, name, board, expiresAt: row.expires_at.getTime() }
}

async function lockDisplay(tx: EngineTx, tenant: string, id: string): Promise<DisplayRow> {
  const query = 'select * from auth.display where id = $1 and tenant_id = $2 for update'
  const { rows } = await tx.client.query<DisplayRow>(query, [id, tenant])
  if (rows[0] !== undefined) return rows[0]
  throw fail('display-not-found', 'No such screen. Read the list again.', { pointer: '/params/id' })
}

async function changed(
  tx: EngineTx,
  { id, tenant_id: tenant }: Pick<DisplayRow, 'id' | 'tenant_id'>,
  by: ActedBy,
  action: 'create' | 'update' | 'revoke' | 'login',
): Promise<void> {
  await recordAct(tx, { tenant, by, action, resource: 'display', id })
  await tx.publish(tenant, { type: 'DisplayChanged', display: id })
}

function bodyOf(row: DisplayRow, now: number): DisplayBody {
  return {
    ...{ id: row.id, name: row.name, board: row.board, state: stateOf(row, now) },
    ...{ createdAt: row.created_at.getTime(), expiresAt: row.expires_at.getTime() },
    ...{ openedAt: row.opened_at?.getTime() ?? null, lastSeenAt: row.last_seen_at?.getTime() ?? null },
  }
}

/** Pure. */
function stateOf(row: DisplayRow, now: number): DisplayState {
  if (row.revoked_at !== null) return 'revoked'
  if (row.expires_at.getTime() <= now) return 'expired'
  if (row.sha256 !== null) return 'showing'
  return row.link_expires_at !== null && row.link_expires_at.getTime() > now ? 'waiting' : 'link-over'
}

interface DisplayRow {
  readonly id: string
  readonly tenant_id: string
  readonly name: string
  readonly board: DisplayBoard
  readonly created_at: Date
  readonly expires_at: Date
  readonly link_sha256: Buffer | null
  readonly link_expires_at: Date | null
  readonly sha256: Buffer | null
  readonly opened_at: Date | null
  readonly last_seen_at: Date | null
  readonly revoked_at: Date | null
}
