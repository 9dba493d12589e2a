/** Alerts of a story: a cuff measures a severe blood pressure once; afterwards alerts, facts and tasks are counted by SQL. */
import type { Engine } from '../../../packages/platform/src/engine/index.ts'
import type { Clinic, Cuff, Ground } from './ground.ts'
import { waitUntilTrue } from './wait.ts'

/** Posts one severe measurement, again and again until it is acknowledged: a device whose request broke does not know. */
export async function measureOnce(ground: Ground, cuff: Cuff): Promise<void> {
  const body = JSON.stringify({ ts: Date.now(), values: { systolic: 192, diastolic: 104 } })
  await waitUntilTrue('the measurement to be acknowledged', async () => {
    const response = await fetch(`http://127.0.0.1:${ground.server.http}/api/v1/ingest`, {
      method: 'POST',
      headers: { authorization: `Bearer ${cuff.token}`, 'content-type': 'application/json' },
      body,
    })
    if (response.status !== 202 && response.status < 429) throw new Error(`answered ${response.status}`)
    return response.status === 202
  })
}

export interface AlertCounts {
  readonly subjects: number
  readonly alerts: number
  readonly raised: number
  readonly told: number
  readonly tasks: number
}

export const countAlerts = (engine: Engine, { tenant }: Clinic): Promise<AlertCounts> =>
  engine.db.asTenant(tenant, async (tx) => {
    const one = async (sql: string) => (await tx.client.query<{ n: number }>(sql)).rows[0]!.n
    const counts = {
      subjects: await one('select count(distinct subject_id)::int as n from tenant.alert'),
      alerts: await one('select count(*)::int as n from tenant.alert'),
      raised: await one(`select count(*)::int as n from tenant.alert_event where what = 'raised'`),
      tasks: await one('select count(*)::int as n from tenant.task'),
    }
    const facts = await engine.db.pool.query<{ n: number }>(
      `select count(*)::int as n from engine.fact where type = 'AlertRaised' and tenant_id = $1`,
      [tenant],
    )
    return { ...counts, told: facts.rows[0]!.n }
  })
