/** A person's sessions: seen and ended by id; their tokens are in cookies only. */
import type { Engine } from '../engine/index.ts'
import { tellAccessChanged } from './access-changed.ts'
import { recordAct } from './acted-by.ts'
import { fail } from './errors.ts'
import { actorOf, type StaffPrincipal } from './principal.ts'

export interface Session {
  readonly id: string
  /** The one that asks. */
  readonly isThis: boolean
  readonly createdAt: number
  readonly expiresAt: number
  readonly ip: string | null
  readonly userAgent: string | null
}

/** Those that have not ended, newest first. */
export async function listSessions(engine: Engine, person: StaffPrincipal): Promise<Session[]> {
  const { rows } = await engine.db.pool.query<SessionRow>(
    `select id, created_at, ends_at, ip_address, user_agent from auth.session
      where user_id = $1 and ends_at > $2 order by created_at desc, id desc`,
    [person.id, new Date(engine.clock.now())],
  )
  return rows.map((row) => ({
    id: row.id,
    isThis: row.id === person.session,
    createdAt: row.created_at.getTime(),
    expiresAt: row.ends_at.getTime(),
    ip: row.ip_address || null,
    userAgent: row.user_agent || null,
  }))
}

/** From the next request on it opens nothing. @throws Failure `session-not-found` */
export async function endSession(engine: Engine, person: StaffPrincipal, id: string, requestId: string): Promise<void> {
  await engine.db.asEngine(async (tx) => {
    const { rowCount } = await tx.client.query('delete from auth.session where id = $1 and user_id = $2', [
      id,
      person.id,
    ])
    if (rowCount !== 1)
      throw fail('session-not-found', 'No such session; it may have ended by itself.', { pointer: '/params/id' })
    await tellAccessChanged(tx, person.id)
    const by = { actor: actorOf(person), requestId }
    await recordAct(tx, { tenant: person.tenant, by, action: 'revoke', resource: 'session', id })
  })
}

/** The one that asks. The cookies are the library's to take back. */
export async function leaveSession(engine: Engine, person: StaffPrincipal, requestId: string): Promise<void> {
  await engine.db.asEngine(async (tx) => {
    await tx.client.query('delete from auth.session where id = $1 and user_id = $2', [person.session, person.id])
    await tellAccessChanged(tx, person.id)
    const by = { actor: actorOf(person), requestId }
    await recordAct(tx, { tenant: person.tenant, by, action: 'logout', resource: 'user', id: person.id })
  })
}

interface SessionRow {
  readonly id: string
  readonly created_at: Date
  readonly ends_at: Date
  readonly ip_address: string | null
  readonly user_agent: string | null
}
