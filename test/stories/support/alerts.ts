/** Alerts of a story: devices measure, and send until it is acknowledged; afterwards alerts, facts and tasks are counted by SQL. */
import type { Engine } from '../../../packages/platform/src/engine/index.ts'
import type { Clinic, Ground, HttpDevice } from './ground.ts'
import { sleep } from './wait.ts'

export const SEVERE = { systolic: 192, diastolic: 104 }
export const GOOD = { systolic: 118, diastolic: 74 }

/**
 * Posts one measurement, again and again until it is acknowledged: a device whose request broke does not know.
 * @throws what it was answered, when that is neither yes nor "later"
 */
export async function measure(ground: Ground, device: HttpDevice, values: Record<string, number>): Promise<void> {
  const body = JSON.stringify({ ts: Date.now(), values })
  let last = ''
  for (const until = performance.now() + PATIENCE_MS; performance.now() < until; await sleep(25)) {
    const answered = await post(ground, device, body).catch(String)
    if (answered === 202) return
    if (typeof answered === 'number' && answered < 429) throw new Error(`a measurement was answered ${answered}`)
    last = String(answered)
  }
  throw new Error(`a measurement was not acknowledged, at last: ${last}`)
}
const PATIENCE_MS = 180_000

async function post({ server }: Ground, { token }: HttpDevice, body: string): Promise<number> {
  const response = await fetch(`http://127.0.0.1:${server.http}/api/v1/ingest`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    body,
    signal: AbortSignal.timeout(10_000),
  })
  await response.body?.cancel()
  return response.status
}

export interface Speaker {
  /** Resolves when nothing of it is under way any more. */
  hush(): Promise<void>
}

/** A probe that measures every half second, and goes on by itself when the server is back. */
export function speak(ground: Ground, device: HttpDevice): Speaker {
  let speaks = true
  const speaking = (async () => {
    while (speaks) {
      await measure(ground, device, { 'temperature-probe': 5 })
      await sleep(500)
    }
  })()
  return {
    async hush() {
      speaks = false
      await speaking
    },
  }
}

/** One alert: how often each thing about it happened. */
export interface AlertCount {
  readonly subject: string
  readonly rule: string
  /** Device; '' = the subject as a whole. */
  readonly focus: string
  readonly condition: string
  readonly raised: number
  readonly recurred: number
  /** Facts `AlertRaised`. */
  readonly told: number
  /** Facts `AlertRecurred`. */
  readonly toldAgain: number
  readonly tasks: number
}

export const countAlerts = (engine: Engine, { tenant }: Clinic): Promise<AlertCount[]> =>
  engine.db.asTenant(tenant, async (tx) => {
    const facts = await engine.db.pool.query<{ alert: string; type: string }>(
      `select type, body ->> 'alert' as alert from engine.fact
        where type in ('AlertRaised', 'AlertRecurred') and tenant_id = $1`,
      [tenant],
    )
    const { rows } = await tx.client.query<Omit<AlertCount, 'told' | 'toldAgain'> & { id: string }>(
      `select a.id, a.subject_id as subject, r.code as rule, a.focus, a.condition,
          (select count(*)::int from tenant.alert_event e where e.alert_id = a.id and e.what = 'raised') as raised,
          (select count(*)::int from tenant.alert_event e where e.alert_id = a.id and e.what = 'recurred') as recurred,
          (select count(*)::int from tenant.task t where t.alert_id = a.id) as tasks
        from tenant.alert a join tenant.rule r on r.id = a.rule_id`,
    )
    const count = (id: string, type: string) =>
      facts.rows.filter((fact) => fact.alert === id && fact.type === type).length
    return rows.map(({ id, ...row }) => ({
      ...row,
      ...{ told: count(id, 'AlertRaised'), toldAgain: count(id, 'AlertRecurred') },
    }))
  })

/** One order for what was counted and what is expected. */
export const sorted = (alerts: readonly AlertCount[]): AlertCount[] => {
  const key = ({ subject, rule, focus }: AlertCount) => `${subject} ${rule} ${focus}`
  return [...alerts].sort((a, b) => (key(a) < key(b) ? -1 : 1))
}
