/**
 * A cuff speaks MQTT, an EHR asks by FHIR: the measurement is one Observation with its Provenance. An EHR writes a measurement by FHIR:
 * the nurse is told as if the cuff had sent it, and the record holds it once. Rebuilding changes nothing.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { byConsole, makeWatch, readConfig, readPrograms, startPlatform } from '@careloop/platform'
import { connectAsync } from 'mqtt'
import { expect, test } from 'vitest'
import { atOnce } from '../../packages/platform/src/alerting/testing/at-once.ts'
import { rebuildObservations } from '../../packages/platform/src/clinical/index.ts'

const programs = fileURLToPath(new URL('../../programs', import.meta.url))
const wait = { timeout: 20_000, interval: 100 }

interface Found {
  readonly total?: number
  readonly entry?: readonly { readonly resource: { readonly [element: string]: unknown; readonly id: string } }[]
}

test('what a device measured is found by FHIR, and what an EHR measured is judged by the rules, each once', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'careloop-story-'))
  const off = { CARELOOP_DISK_FLOOR_BYTES: '0', CARELOOP_BALLAST_BYTES: '0', CARELOOP_LOG: 'error' }
  const ports = { CARELOOP_HTTP_PORT: '0', CARELOOP_MQTT_PORT: '0', CARELOOP_MQTTS_PORT: 'off' }
  const places = { CARELOOP_DATA: join(folder, 'data'), CARELOOP_MASTER_KEY_FILE: join(folder, 'master.key') }
  const platform = await startPlatform(readConfig({ ...off, ...ports, ...places }), makeWatch({ level: 'error' }))
  const { identity, subjects, fleet, alerting, workflow, engine, clinical } = platform.rooms
  const tenant = await identity.createTenant('Riverside')
  const by = byConsole(tenant)
  const nurse = await identity.createUser({ tenant, email: 'n@example.org', displayName: 'Nora', roles: ['nurse'] })
  const others = ['physician', 'facilities', 'pharmacist', 'biomed'] as const
  await identity.createUser({ tenant, email: 'o@example.org', displayName: 'Otto', roles: others })
  for (const program of await readPrograms(programs)) await alerting.activate(by, atOnce(program))
  const patient = async (family: string) => {
    const { id } = await subjects.create(by, {
      timeZone: 'Europe/Vienna',
      resource: { resourceType: 'Patient', name: [{ family }], birthDate: '1950-01-01' },
    })
    await subjects.enrol(by, id, { program: 'hypertension-rpm', owner: nurse.id })
    return id
  }
  const [measured, told] = [await patient('Measured'), await patient('Told')]
  const scopes = ['reading:read', 'reading:create', 'reading:update', 'subject:read'] as const
  const service = await identity.createServiceToken({ tenant, name: 'EHR', scopes: [...scopes] })
  const settings = await subjects.consents.settings(by)
  await subjects.consents.changeSettings(by, { ...settings, ownServices: [...settings.ownServices, service.id] })
  const fhir = async (path: string, init: RequestInit = {}): Promise<Found> => {
    const headers = { authorization: `Bearer ${service.token}`, 'content-type': 'application/fhir+json' }
    const response = await fetch(`${platform.http}/fhir/R4/${path}`, { ...init, headers })
    expect(response.status, path).toBeLessThan(300)
    return (await response.json()) as Found
  }

  const cuff = await fleet.enrolDevice(by, { name: 'cuff-7', profile: 'generic', classification: 'medical' })
  await fleet.assign(by, cuff.id, measured, Date.now() - 3_600_000)
  const { token } = await fleet.createDeviceToken(by, cuff.id, {})
  const { host, port } = platform.doors!.mqtt.addresses[0]!
  const client = await connectAsync({ host, port, username: 'cuff-7', password: token, protocolVersion: 5 })
  const message = { ts: Date.now(), values: { systolic: 124, diastolic: 78 } }
  await client.publishAsync('devices/cuff-7/telemetry', JSON.stringify(message), { qos: 1 })

  const search = `Observation?patient=${measured}&code=http://loinc.org|85354-9&_revinclude=Provenance:target`
  await expect.poll(async () => (await fhir(search)).entry?.length, wait).toBe(2)
  const [panel, provenance] = (await fhir(search)).entry!.map(({ resource }) => resource)
  expect(panel).toMatchObject({
    component: [{ valueQuantity: { value: 124, code: 'mm[Hg]' } }, { valueQuantity: { value: 78 } }],
    device: { reference: `Device/${cuff.id}` },
  })
  expect(provenance).toMatchObject({ target: [{ reference: `Observation/${panel!.id}` }] })
  expect((await fhir(`Observation?patient=${measured}&component-code-value-quantity=8480-6$gt120`)).entry).toHaveLength(
    1,
  )

  const coded = (code: string) => ({ coding: [{ system: 'http://loinc.org', code }] })
  const quantity = (value: number) => ({
    valueQuantity: { value, unit: 'mmHg', system: 'http://unitsofmeasure.org', code: 'mm[Hg]' },
  })
  const observation = {
    ...{ resourceType: 'Observation', id: 'ehr.bp-4711', status: 'final', code: coded('85354-9') },
    category: [
      { coding: [{ system: 'http://terminology.hl7.org/CodeSystem/observation-category', code: 'vital-signs' }] },
    ],
    subject: { reference: `Patient/${told}` },
    effectiveDateTime: new Date().toISOString(),
    component: [
      { code: coded('8480-6'), ...quantity(192) },
      { code: coded('8462-4'), ...quantity(124) },
    ],
  }
  await fhir('Observation/ehr.bp-4711', { method: 'PUT', body: JSON.stringify(observation) })
  await expect.poll(async () => (await workflow.worklist(by)).rows.map((row) => row.subject.id), wait).toEqual([told])
  await client.publishAsync('devices/cuff-7/telemetry', JSON.stringify({ values: { 'pulse-rate': 66 } }), { qos: 1 })
  // The log is in order: once the later pulse is there, the EHR's own would have come back too.
  await expect.poll(async () => (await fhir(`Observation?patient=${measured}&code=8867-4`)).entry?.length, wait).toBe(1)
  expect((await fhir(`Observation?patient=${told}`)).entry?.map(({ resource }) => resource.id)).toEqual(['ehr.bp-4711'])

  const { looked, written } = await rebuildObservations(engine, clinical, { tenant })
  expect([looked > 0, written]).toEqual([true, 0])
  await client.endAsync()
  await platform.close()
  rmSync(folder, { recursive: true, force: true })
}, 120_000)
