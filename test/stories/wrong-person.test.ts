/**
 * A cuff was handed to the wrong person: one audited act gives the readings back, re-keys them, marks the alert that they raised,
 * tells its owner, and judges them for the one who was really measured.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { byConsole, makeWatch, readConfig, readPrograms, startPlatform } from '@careloop/platform'
import { connectAsync } from 'mqtt'
import { expect, test } from 'vitest'
import { atOnce } from '../../packages/platform/src/alerting/testing/at-once.ts'
import { readSeries } from '../../packages/platform/src/telemetry/index.ts'

const programs = fileURLToPath(new URL('../../programs', import.meta.url))
const wait = { timeout: 20_000, interval: 100 }

test('a correction takes readings, alert and task to the right person, in one audited act', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'careloop-story-'))
  const off = { CARELOOP_DISK_FLOOR_BYTES: '0', CARELOOP_BALLAST_BYTES: '0', CARELOOP_LOG: 'error' }
  const ports = { CARELOOP_HTTP_PORT: '0', CARELOOP_MQTT_PORT: '0', CARELOOP_MQTTS_PORT: 'off' }
  const places = { CARELOOP_DATA: join(folder, 'data'), CARELOOP_MASTER_KEY_FILE: join(folder, 'master.key') }
  const platform = await startPlatform(readConfig({ ...off, ...ports, ...places }), makeWatch({ level: 'error' }))
  const { identity, subjects, fleet, alerting, workflow, engine } = platform.rooms
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
  const [wrong, right] = [await patient('Wrong'), await patient('Right')]
  const cuff = await fleet.enrolDevice(by, { name: 'cuff-7', profile: 'generic', classification: 'medical' })
  const handedOut = Date.now() - 3_600_000
  await fleet.assign(by, cuff.id, wrong, handedOut)
  const { token } = await fleet.createDeviceToken(by, cuff.id, {})
  const { host, port } = platform.doors!.mqtt.addresses[0]!
  const client = await connectAsync({ host, port, username: 'cuff-7', password: token, protocolVersion: 5 })
  const measuredAt = Date.now()
  const message = { ts: measuredAt, values: { systolic: 192, diastolic: 124 } }
  await client.publishAsync('devices/cuff-7/telemetry', JSON.stringify(message), { qos: 1 })

  const tasks = async () => (await workflow.worklist(by)).rows
  await expect.poll(async () => (await tasks()).map((row) => row.subject.id), wait).toEqual([wrong])
  const alertId = (await tasks())[0]!.alert
  const systolicOf = async (subject: string) => {
    const answer = await readSeries(engine, {
      tenant,
      subject,
      signal: 'systolic',
      from: 0,
      to: Date.now(),
      maxPoints: 100,
    })
    return answer.series.flatMap((series) => series.readings.map((reading) => [reading.measuredAt, reading.value]))
  }
  await expect.poll(() => systolicOf(wrong), wait).toEqual([[measuredAt, 192]])

  const span = (await fleet.assignmentHistory(by, cuff.id)).spans[0]!
  await fleet.correctAssignment(by, cuff.id, {
    reason: 'Handed to the wrong person at discharge',
    edits: [{ edit: 'change', assignment: span.id, subject: right }],
  })

  await expect.poll(() => systolicOf(right), wait).toEqual([[measuredAt, 192]])
  expect(await systolicOf(wrong)).toEqual([])
  await expect.poll(async () => (await alerting.explain(by, alertId)).alert.wrongSubject, wait).toBe(true)
  // The wrong person's task stays until its owner has closed it; the right one has a review task: found late, nobody is paged.
  await expect
    .poll(async () => (await tasks()).map((row) => row.subject.id).sort(), wait)
    .toEqual([wrong, right].sort())
  // What comes from now on is the right person's at once.
  await client.publishAsync('devices/cuff-7/telemetry', JSON.stringify({ values: { systolic: 130, diastolic: 80 } }), {
    qos: 1,
  })
  await expect.poll(async () => (await systolicOf(right)).map(([, value]) => value), wait).toEqual([192, 130])

  await client.endAsync()
  await platform.close()
  rmSync(folder, { recursive: true, force: true })
}, 120_000)
