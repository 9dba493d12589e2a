/** What a device measures, one DeviceMetric a signal: of a profile that names its signals all of them, else those that came. */
import { signal as knownSignal } from '@careloop/contract'
import { profile } from '@careloop/profiles'
import type { TenantTx } from '../../engine/index.ts'
import type { DeviceSource } from '../../fleet/index.ts'
import type { Derived } from '../clinical.ts'
import { type Coding, systems } from './words.ts'

/** A profile that takes every key says nothing about this device. */
const takesAll = new Set(['generic', 'generic-wearable'])

/** By device, in the order of their codes. */
export async function signalsOfDevices(
  tx: TenantTx,
  devices: readonly DeviceSource[],
): Promise<ReadonlyMap<string, readonly string[]>> {
  const found = new Map<string, readonly string[]>()
  for (const { id, profile: code } of devices)
    if (!takesAll.has(code)) found.set(id, (profile(code)?.signals ?? []).map(({ signal }) => signal).sort())
  const open = devices.flatMap(({ id }) => (found.has(id) ? [] : [id]))
  if (open.length === 0) return found
  const { rows } = await tx.client.query<{ device: string; signals: string[] }>(
    `select device, array_agg(distinct signal order by signal) as signals from tenant.series
      where tenant_id = $1 and device = any($2::uuid[]) group by device`,
    [tx.tenant, open],
  )
  for (const { device, signals } of rows) found.set(device, signals)
  return found
}

export const metricsOf = (device: DeviceSource, signals: readonly string[]): Derived[] =>
  signals.map((code) => ({ resource: metricOf(device, code), subject: null, at: device.plateChangedAt }))

function metricOf({ id, expectedIntervalMs }: DeviceSource, code: string) {
  const signal = knownSignal(code)
  const codings: Coding[] = [
    ...(signal?.mdc === undefined ? [] : [mdcOf(signal.mdc)]),
    ...(signal?.loinc === undefined ? [] : [{ system: 'http://loinc.org', code: signal.loinc }]),
    { system: systems.signal, code },
  ]
  const intervalMs = expectedIntervalMs ?? signal?.intervalMs ?? null
  return {
    ...{ resourceType: 'DeviceMetric', id: `${id}-${code}`, identifier: [{ system: systems.signal, value: code }] },
    type: { coding: codings, text: signal?.label ?? code },
    ...(signal === undefined ? {} : { unit: { coding: [{ system: 'http://unitsofmeasure.org', code: signal.unit }] } }),
    source: { reference: `Device/${id}` },
    ...{ operationalStatus: 'on', category: 'measurement' },
    ...(intervalMs === null
      ? {}
      : { measurementPeriod: { repeat: { frequency: 1, period: intervalMs / 1000, periodUnit: 's' } } }),
  }
}

const mdcOf = ({ code, refId }: { readonly code: number; readonly refId: string }): Coding => ({
  ...{ system: 'urn:iso:std:iso:11073:10101', code: String(code), display: refId },
})
