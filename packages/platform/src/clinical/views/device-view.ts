/** Devices of the fleet as Device, what each measures as DeviceMetric, and each assignment to a patient as DeviceUseStatement. */
import { allSignals } from '@careloop/contract'
import type { Engine, TenantTx } from '../../engine/index.ts'
import {
  type AssignmentSource,
  type DeviceSource,
  deviceIdsAfter,
  deviceSources,
  devicesReported,
} from '../../fleet/index.ts'
import type { Derived } from '../clinical.ts'
import { metricsOf, signalsOfDevices } from './device-metrics.ts'
import { deviceCodings } from './device-types.ts'
import { type Dropped, type PatientIds, subjectReference, type View } from './view.ts'
import { iso, organisation, period, systems } from './words.ts'

export const deviceView = (engine: Engine, clinical: PatientIds): View => ({
  name: 'devices',
  types: ['Device', 'DeviceMetric', 'DeviceUseStatement'],
  facts: ['DeviceEnrolled', 'DeviceChanged', 'AssignmentChanged'],
  idsOf: ({ body }) => [(body as { device: string }).device],
  page: (tenant, after, limit) => engine.db.asTenant(tenant, (tx) => deviceIdsAfter(tx, after, limit)),
  // Its firmware, and the signals of a device that says what it likes, come with its reports.
  changed: (tenant, since, until) => engine.db.asTenant(tenant, (tx) => devicesReported(tx, since, until)),
  open: async () => async (tx, ids) => {
    const keep: Derived[] = []
    const drop: Dropped[] = []
    const sources = await deviceSources(engine, tx, ids)
    const signals = await signalsOfDevices(tx, sources)
    for (const device of sources) {
      const own = signals.get(device.id) ?? []
      keep.push(await deviceOf(clinical, tx, device, own), ...metricsOf(device, own))
      for (const { code } of allSignals)
        if (!own.includes(code)) drop.push({ type: 'DeviceMetric', id: `${device.id}-${code}`, at: device.changedAt })
      for (const assignment of device.assignments)
        if (assignment.kind === 'patient') keep.push(await useOf(clinical, tx, device, assignment))
    }
    return { keep, drop }
  },
})

async function deviceOf(
  clinical: PatientIds,
  tx: TenantTx,
  device: DeviceSource,
  signals: readonly string[],
): Promise<Derived> {
  const worn = device.assignments.find(({ to, isVoid }) => to === null && !isVoid)
  const wearer =
    worn === undefined ? undefined : await subjectReference(clinical, tx, { id: worn.subject, kind: worn.kind })
  const { id, manufacturer, model, serial, changedAt } = device
  const codings = deviceCodings(signals)
  const { firmware } = device.attributes
  const resource = {
    ...{ resourceType: 'Device', id, identifier: identifiersOf(device), status: 'active' },
    ...(manufacturer === undefined ? {} : { manufacturer }),
    ...(serial === undefined ? {} : { serialNumber: serial }),
    deviceName: [{ name: device.name, type: 'user-friendly-name' }],
    ...(model === undefined ? {} : { modelNumber: model }),
    type: { ...(codings.length === 0 ? {} : { coding: codings }), text: device.profile },
    ...(firmware === undefined ? {} : { version: [{ type: firmwareType, value: String(firmware) }] }),
    ...(worn?.kind === 'patient' ? { patient: wearer } : {}),
    owner: organisation(tx.tenant),
    ...(worn?.kind === 'location' ? { location: wearer } : {}),
    ...(worn?.kind === 'asset' ? { parent: wearer } : {}),
  }
  // Under who wears it now: that somebody wears it, and what, is of them.
  return { resource, subject: worn?.kind === 'patient' ? worn.subject : null, at: changedAt }
}

const firmwareType = {
  coding: [{ system: 'urn:iso:std:iso:11073:10101', code: '531976', display: 'MDC_ID_PROD_SPEC_FW' }],
}

/** As the Personal Health Device guide writes them: EUI-64 and Bluetooth addresses in upper-case hex with hyphens. */
function identifiersOf({ name, serial, address }: DeviceSource) {
  const hex = address?.toUpperCase().match(/../g)?.join('-')
  return [
    { system: systems.deviceName, value: name },
    ...(serial === undefined
      ? []
      : [{ type: identifierType('http://terminology.hl7.org/CodeSystem/v2-0203', 'SNO'), value: serial }]),
    ...(hex === undefined || address === undefined ? [] : [address.length === 16 ? eui64(hex) : bluetooth(hex)]),
  ]
}

const continua = 'http://hl7.org/fhir/uv/phd/CodeSystem/ContinuaDeviceIdentifiers'
const identifierType = (system: string, code: string) => ({ coding: [{ system, code }] })
const eui64 = (value: string) => ({
  ...{ type: identifierType(continua, 'SYSID'), system: 'urn:oid:1.2.840.10004.1.1.1.0.0.1.0.0.1.2680', value },
})
const bluetooth = (value: string) => ({
  ...{ type: identifierType(continua, 'BTMAC'), system: 'http://hl7.org/fhir/sid/eui-48/bluetooth', value },
})

async function useOf(
  clinical: PatientIds,
  tx: TenantTx,
  device: DeviceSource,
  { id, subject, from, to, isVoid, changedAt }: AssignmentSource,
): Promise<Derived> {
  const patient = await subjectReference(clinical, tx, { id: subject, kind: 'patient' })
  const status = isVoid ? 'entered-in-error' : to === null ? 'active' : 'completed'
  const resource = {
    ...{ resourceType: 'DeviceUseStatement', id, status, subject: patient, timingPeriod: period(from, to) },
    ...{ recordedOn: iso(changedAt), device: { reference: `Device/${device.id}` } },
  }
  return { resource, subject, at: changedAt }
}
