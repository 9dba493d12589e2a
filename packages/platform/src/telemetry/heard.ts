/** When each device last measured something that was stored: of devices that post by HTTP there is no connection to look at. */
import type { EpochMs } from '@careloop/contract'
import type { Db } from '../engine/index.ts'
import { findSeries, newestOf } from './series.ts'

export interface DeviceHeard {
  readonly device: string
  /** Of its newest reading, by the corrected clock of the device. */
  readonly measuredAt: EpochMs
}

/**
 * Only times and opaque ids: whoever may see devices may know that one speaks, and not what it says. Devices of which nothing was
 * ever stored are not there.
 * @param question.device all of the organisation when absent
 */
export function devicesHeard(
  db: Db,
  question: { readonly tenant: string; readonly device?: string | undefined },
): Promise<DeviceHeard[]> {
  const { tenant, device } = question
  return db.asEngine(async (tx) => {
    const series = await tx.asTenant(tenant, (tenantTx) => findSeries(tenantTx, device === undefined ? {} : { device }))
    const times = await newestOf(
      tx,
      series.map(({ id }) => id),
    )
    const newest = new Map<string, EpochMs>()
    for (const [place, one] of series.entries())
      newest.set(one.device, Math.max(times[place]!, newest.get(one.device) ?? Number.NEGATIVE_INFINITY))
    return [...newest].filter(([, at]) => Number.isFinite(at)).map(([device, measuredAt]) => ({ device, measuredAt }))
  })
}
