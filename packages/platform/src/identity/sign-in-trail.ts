/** Sign-ins, sign-outs and refused passwords, written to the trail of the organisation that the person belongs to. */
import type { Engine } from '../engine/index.ts'
import { recordAct } from './acted-by.ts'

/** @param user id of who signed in. Somebody who belongs nowhere has no trail to write to; `no-membership` refuses them next. */
export async function recordSignIn(engine: Engine, user: string, requestId: string): Promise<void> {
  await recordSession(engine, { column: 'user_id', value: user, outcome: 'success', requestId })
}

/** A password that was wrong: who tries is unknown, whose account it was is not. An unknown address is nobody's. */
export async function recordRefusedSignIn(engine: Engine, email: string, requestId: string): Promise<void> {
  await recordSession(engine, { column: 'email', value: email.trim().toLowerCase(), outcome: 'denied', requestId })
}

/** A second factor that was wrong, after a right password. */
export async function recordRefusedCode(engine: Engine, user: string, requestId: string): Promise<void> {
  await recordSession(engine, {
    ...{ column: 'user_id', value: user, outcome: 'denied', requestId, resource: 'second-factor' },
  })
}

interface Attempt {
  readonly column: 'user_id' | 'email'
  readonly value: string
  readonly outcome: 'success' | 'denied'
  readonly requestId: string
  readonly resource?: 'user' | 'second-factor'
}

const membersOf = {
  user_id: 'select user_id, tenant_id from auth.member where user_id = $1 and ended_at is null',
  email: `select m.user_id, m.tenant_id from auth.member m join auth.user u on u.id = m.user_id
           where u.email = $1 and m.ended_at is null`,
} as const

async function recordSession(engine: Engine, attempt: Attempt): Promise<void> {
  await engine.db.asEngine(async (tx) => {
    const { rows } = await tx.client.query<{ user_id: string; tenant_id: string }>(membersOf[attempt.column], [
      attempt.value,
    ])
    for (const { user_id: id, tenant_id: tenant } of rows) {
      const { outcome, requestId, resource = 'user' } = attempt
      const by = { actor: outcome === 'success' ? `staff:${id}` : 'anonymous', requestId }
      await recordAct(tx, { tenant, by, action: 'login', resource, id, outcome })
    }
  })
}
