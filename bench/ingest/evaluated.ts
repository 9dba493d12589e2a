/** Whether each acknowledged crossing became an alert or a recurrence of one: counted from the alerts' own events. */
import { readFileSync } from 'node:fs'
import type { Engine } from '../../packages/platform/src/engine/index.ts'
import type { Device } from './generator.ts'

export interface Crossing {
  readonly device: string
  readonly measuredAt: number
  /** When it should have been sent, ms since epoch. */
  readonly due: number
}

export const readCrossings = (file: string, devices: readonly Device[]): Crossing[] =>
  readFileSync(file, 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => {
      const [index, measuredAt, due] = line.split(' ').map(Number) as [number, number, number]
      return { device: devices[index]!.device, measuredAt, due }
    })

/** A raise or recurrence that tells of a crossing: by the patient who wears the device, and when it was measured. */
export async function unevaluated(
  engine: Engine,
  crossFile: string,
  devices: readonly Device[],
): Promise<{ crossings: number; unevaluated: number }> {
  const told = new Set<string>()
  for (const tenant of await engine.db.tenants()) {
    const { rows } = await engine.db.asTenant(tenant, (tx) =>
      tx.client.query<{ device_id: string; at: string }>(
        `select s.device_id, e.at from tenant.alert_event e
           join tenant.alert a on a.tenant_id = e.tenant_id and a.id = e.alert_id
           join tenant.assignment s on s.tenant_id = a.tenant_id and s.subject_id = a.subject_id
          where e.what in ('raised', 'recurred')`,
      ),
    )
    for (const { device_id, at } of rows) told.add(`${device_id} ${at}`)
  }
  const crossings = readCrossings(crossFile, devices)
  const missing = crossings.filter(({ device, measuredAt }) => !told.has(`${device} ${measuredAt}`))
  return { crossings: crossings.length, unevaluated: missing.length }
}
