import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { validate } from '@careloop/fhir'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { isPassing } from '../../engine/index.ts'
import { settledFacts } from '../../engine/testing/index.ts'
import { aDevice, testFleet } from '../../fleet/fixtures.ts'
import { byTest } from '../../subjects/fixtures.ts'
import { makeClinical } from '../make-clinical.ts'
import { type FhirGround, fhirGround } from '../testing/fhir-ground.ts'
import { takeViews } from './follow-views.ts'
import type { KeepingViews } from './keep-views.ts'
import { ownViews } from './own-views.ts'

let ground: FhirGround
let keeping: KeepingViews
let compliance: string
beforeAll(async () => {
  ground = await fhirGround()
  const clinical = makeClinical(ground.room)
  keeping = { clinical, views: ownViews(ground.shell.engine, clinical) }
  compliance = (await ground.shell.signIn(['compliance'])).cookie
})
afterAll(() => ground?.close())

const follow = async () => {
  await settledFacts(ground.shell.engine)
  while (await takeViews(ground.shell.engine, keeping));
}
const audit = async (query: string, cookie = compliance) => {
  const url = `/fhir/R4/AuditEvent${query}`
  const answer = await ground.shell.server.inject({ method: 'GET', url, headers: { host: 'care.example.org', cookie } })
  return { status: answer.statusCode, body: answer.json() }
}
const events = (body: { entry?: { resource: { id: string; action: string } }[] }) =>
  (body.entry ?? []).map(({ resource }) => resource)

describe('the trail as AuditEvent', () => {
  test('is searched by whose record, by who and by when, and each look stands in it', async () => {
    await ground.put('/Patient/audited-1', { resourceType: 'Patient', id: 'audited-1', name: [{ family: 'Audit' }] })
    await ground.get('/Patient/audited-1')
    const other = await ground.patient()
    await ground.get(`/Patient/${other}`)
    const { status, body } = await audit('?patient=Patient/audited-1')
    expect([status, body.resourceType, body.type]).toEqual([200, 'Bundle', 'searchset'])
    const found = events(body)
    expect(found.map(({ action }) => action).sort()).toEqual(['C', 'C', 'R'])
    for (const event of found) {
      expect(JSON.stringify(event)).toContain('"reference":"Patient/audited-1"')
      expect(validate(event as never).filter(({ severity }) => severity === 'error')).toEqual([])
    }
    const again = events((await audit('?entity=Patient/audited-1&action=E')).body)
    expect(again).toHaveLength(1)
    const who = events((await audit(`?agent=Practitioner/nobody`)).body)
    expect(who).toEqual([])
    const day = new Date().toISOString().slice(0, 10)
    expect(events((await audit(`?date=ge${day}&action=C`)).body).length).toBeGreaterThan(1)
    expect(events((await audit('?date=lt2001-01-01')).body)).toEqual([])
  })

  test('goes on page by page, the newest first, and one entry is read by itself', async () => {
    for (let at = 0; at < 5; at++) await ground.patient()
    const first = (await audit('?_count=3')).body
    const next = first.link.find(({ relation }: { relation: string }) => relation === 'next').url
    const second = (await audit(next.slice(next.indexOf('?')))).body
    const ids = [...events(first), ...events(second)].map(({ id }) => Number(id))
    expect(ids).toHaveLength(6)
    expect(ids).toEqual([...ids].sort((a, b) => b - a))
    const one = await audit(`/${ids[2]}`)
    expect([one.status, one.body.id]).toEqual([200, String(ids[2])])
    expect((await audit(`/${ids[2]}/_history/1`)).body).toEqual(one.body)
    expect((await audit(`/${ids[2]}/_history`)).status).toBe(405)
    expect((await audit('/99999999999')).status).toBe(404)
  })

  test('is for who may read the trail, and nobody writes it', async () => {
    const nurse = (await ground.shell.signIn(['nurse'])).cookie
    expect((await audit('', nurse)).status).toBe(403)
    const event = { resourceType: 'AuditEvent', id: '1' }
    expect((await ground.put('/AuditEvent/1', event)).statusCode).toBe(405)
    expect((await ground.post('/AuditEvent', event)).statusCode).toBe(405)
  })
})

describe('one truth over HTTP', () => {
  test('a conditional create makes one subject, and its page shows it at once', async () => {
    const body = { resourceType: 'Patient', identifier: [{ system: 'urn:oid:1.2.3.4', value: 'C-1' }] }
    const ifNone = { 'if-none-exist': 'identifier=urn:oid:1.2.3.4|C-1' }
    const made = await Promise.all([1, 2, 3, 4].map(() => ground.post('/Patient', body, ifNone)))
    expect(made.map(({ statusCode }) => statusCode).sort()).toEqual([200, 200, 200, 201])
    const by = byTest(ground.shell.tenant)
    const identifier = { system: 'urn:oid:1.2.3.4', value: 'C-1' }
    expect(await ground.subjects.search(by, { identifier, limit: 10 })).toMatchObject([{ kind: 'patient' }])
    await follow()
    expect((await ground.get(`/Patient/${made[0]!.json().id}`)).headers.etag).toBe('W/"1"')
  })

  test('an identifier that somebody has is a conflict, told by an OperationOutcome with its place', async () => {
    const identifier = [{ system: 'urn:oid:1.2.3.4', value: 'D-1' }]
    await ground.put('/Patient/d1', { resourceType: 'Patient', id: 'd1', identifier })
    const refused = await ground.put('/Patient/d2', { resourceType: 'Patient', id: 'd2', identifier })
    expect(refused.statusCode).toBe(409)
    expect(refused.json()).toMatchObject({
      resourceType: 'OperationOutcome',
      issue: [{ code: 'duplicate', expression: ['Patient.identifier[0]'] }],
    })
  })

  test('writes of one patient one after the other, while their view is made, neither wait for it nor are lost', async () => {
    const body = (n: number) => ({ resourceType: 'Patient', id: 'busy', name: [{ family: `Busy ${n}` }] })
    const write = async () => {
      for (let n = 1; n <= 12; n++) expect((await ground.put('/Patient/busy', body(n))).statusCode).toBeLessThan(300)
    }
    let isWriting = true
    const watch = async () => {
      while (isWriting) await takeViews(ground.shell.engine, keeping).catch(isTriedAgain)
    }
    // Whoever writes meanwhile goes first: the stage tries again.
    const isTriedAgain = (error: unknown) => expect(isPassing(error)).toBe(true)
    const watching = watch()
    await write()
    isWriting = false
    await watching
    await follow()
    const answer = await ground.get('/Patient/busy')
    expect([answer.json().name[0].family, answer.headers.etag]).toEqual(['Busy 12', 'W/"12"'])
  })

  test('to put what is not there is to make it: the right to change alone does not take anybody in', async () => {
    const authorization = await ground.shell.token(['subject:read', 'subject:update'])
    const body = { resourceType: 'Patient', id: 'not-made' }
    expect((await ground.put('/Patient/not-made', body, { authorization })).statusCode).toBe(403)
    expect((await ground.get('/Patient/not-made')).statusCode).toBe(404)
  })

  test('a device that a health gateway tells of is found beside the enrolled one by the address that both bear', async () => {
    const by = byTest(ground.shell.tenant)
    const enrolled = await testFleet(ground.shell.engine).enrolDevice(by, aDevice({ address: '00:1c:05:ff:e8:74' }))
    const identifier = [{ system: 'http://hl7.org/fhir/sid/eui-48/bluetooth', value: '00-1C-05-FF-E8-74' }]
    const told = { resourceType: 'Device', id: 'phd-OURS00FFFE000000.001C05FFE874', identifier }
    expect((await ground.put(`/Device/${told.id}`, told)).statusCode).toBe(201)
    await follow()
    const found = (await ground.get(`/Device?identifier=${identifier[0]!.system}|${identifier[0]!.value}`)).json()
    expect(
      events(found)
        .map(({ id }) => id)
        .sort(),
    ).toEqual([enrolled.id, told.id].sort())
    expect((await ground.get(`/Device/${told.id}`)).json().identifier).toEqual(identifier)
  })

  test("every Patient, Location and Device of HL7's examples is taken, and shows no second version", async () => {
    const material = fileURLToPath(new URL('../../../../../../shared/material/fhir/', import.meta.url))
    if (!existsSync(material)) {
      console.info('The shared test material is not beside this checkout: no official example is loaded.')
      return
    }
    const texts = ['phd-examples', 'us-core-examples'].flatMap((folder) =>
      readdirSync(material + folder).map((name) => readFileSync(`${material}${folder}/${name}`, 'utf8')),
    )
    texts.push(...readFileSync(`${material}r4-examples/r4-examples.ndjson`, 'utf8').split('\n').filter(Boolean))
    const examples = texts
      .map((text) => JSON.parse(text) as { resourceType: string; id: string })
      .filter(({ resourceType }) => ['Patient', 'Location', 'Device'].includes(resourceType))
    // A device may be of a patient: they come first.
    examples.sort((a, b) => Number(b.resourceType === 'Patient') - Number(a.resourceType === 'Patient'))
    const refused: unknown[] = []
    for (const example of examples) {
      const { statusCode, body } = await ground.put(`/${example.resourceType}/${example.id}`, example)
      if (statusCode !== 200 && statusCode !== 201 && !body.includes('patient-unknown')) refused.push(body)
    }
    expect(refused).toEqual([])
    await follow()
    for (const { resourceType, id } of examples) {
      const { statusCode, headers } = await ground.get(`/${resourceType}/${id}`)
      if (statusCode === 200) expect([id, headers.etag]).toEqual([id, id === 'f201' ? expect.any(String) : 'W/"1"'])
    }
    expect(examples.length).toBeGreaterThan(12)
  })
})
