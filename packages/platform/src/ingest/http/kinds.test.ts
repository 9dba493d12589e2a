/** What a role changes of which kind of subject: typed measurements, and who wears a device. */
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type TestShell, testShell } from '../../api/testing/test-shell.ts'
import { testFleet } from '../../fleet/fixtures.ts'
import type { Fleet } from '../../fleet/index.ts'
import { fleetRoutes } from '../../fleet/routes.ts'
import { aFridge, aPatient, byTest, testSubjects } from '../../subjects/fixtures.ts'
import { subjectsRoutes } from '../../subjects/routes.ts'
import { ingestRoutes } from './ingest-routes.ts'

let shell: TestShell
let fleet: Fleet
let patient: string
let fridge: string
beforeAll(async () => {
  shell = await testShell({
    routes(_identity, engine) {
      fleet = testFleet(engine)
      // The routes of devices need their parts; the one of people is asked here, and needs none.
      return [...subjectsRoutes(testSubjects(engine)), ...fleetRoutes(fleet), ...ingestRoutes({} as never)]
    },
  })
  const subjects = testSubjects(shell.engine)
  patient = (await subjects.create(byTest(shell.tenant), aPatient())).id
  fridge = (await subjects.create(byTest(shell.tenant), aFridge())).id
})
afterAll(() => shell?.close())

const asked = async (cookie: string, url: string, payload: object) => {
  const headers = { cookie, 'sec-fetch-site': 'same-origin' }
  const answered = await shell.server.inject({ method: 'POST', url, payload, headers })
  return [answered.statusCode, answered.json().issue?.[0].details.coding[0].code ?? 'done']
}

test('rights > facilities type a temperature of a refrigerator and no blood pressure of a patient', async () => {
  const { cookie } = await shell.signIn(['facilities'])
  const typed = (subject: string, signal: string, value: number, unit: string) =>
    asked(cookie, '/api/v1/readings', { subject, measuredAt: shell.clock.now(), values: [{ signal, value, unit }] })
  expect(await typed(patient, 'systolic', 120, 'mm[Hg]')).toEqual([404, 'subject-not-found'])
  expect(await typed(fridge, 'temperature-probe', 5, 'Cel')).toEqual([201, 'done'])
})

test('rights > facilities put no device on a patient, take none off and move none from one', async () => {
  const { cookie } = await shell.signIn(['facilities'])
  const by = byTest(shell.tenant)
  const { id } = await fleet.enrolDevice(by, { name: 'cuff-9', profile: 'generic', classification: 'medical' })
  const at = (path: string, payload: object) => asked(cookie, `/api/v1/devices/${id}/assignments${path}`, payload)
  expect(await at('', { subject: patient })).toEqual([404, 'subject-not-found'])
  await shell.clock.advance(1)
  const { id: span } = await fleet.assign(by, id, patient, null)
  await shell.clock.advance(60_000)
  expect(await at('/end', {})).toEqual([403, 'assignment-not-yours'])
  const edits = [{ edit: 'change', assignment: span, subject: fridge }]
  expect(await at('/correct', { reason: 'it was the fridge', edits })).toEqual([403, 'assignment-not-yours'])
  const nurse = await shell.signIn(['nurse'])
  expect(await asked(nurse.cookie, `/api/v1/devices/${id}/assignments/end`, {})).toEqual([200, 'done'])
  await shell.clock.advance(1)
  expect(await at('', { subject: fridge })).toEqual([201, 'done'])
})

test('rights > facilities take in a refrigerator and no patient', async () => {
  const { cookie } = await shell.signIn(['facilities'])
  expect(await asked(cookie, '/api/v1/subjects', aPatient())).toEqual([403, 'subject-kind-refused'])
  expect(await asked(cookie, '/api/v1/subjects', aFridge())).toEqual([201, 'done'])
})
