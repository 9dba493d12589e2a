/** What is odd about a device, told to people once a day a device and reason: a security review is opened for it. */
import type { DeviceOddity } from '@careloop/contract'
import { record } from '../audit/index.ts'
import type { Engine, TenantTx } from '../engine/index.ts'

const DAY_MS = 86_400_000

/**
 * Publishes `DeviceSuspicious` in this transaction, unless this was told of the device in the last 24 hours: somebody who tries a
 * thousand times makes one review, not a thousand.
 * @returns whether it was told now
 */
export async function tellSuspicion(
  engine: Pick<Engine, 'clock'>,
  tx: TenantTx,
  { device, reason }: { readonly device: string; readonly reason: DeviceOddity },
): Promise<boolean> {
  const now = engine.clock.now()
  const { rowCount } = await tx.client.query(
    `insert into tenant.device_oddity as o (device_id, reason, told_at) values ($1, $2, $3)
       on conflict (tenant_id, device_id, reason) do update set told_at = excluded.told_at where o.told_at <= $4`,
    [device, reason, now, now - DAY_MS],
  )
  if (rowCount === 0) return false
  await tx.publish({ type: 'DeviceSuspicious', device, reason })
  await record(tx, { actor: `device:${device}`, action: 'denied', resource: 'device', id: device })
  return true
}
