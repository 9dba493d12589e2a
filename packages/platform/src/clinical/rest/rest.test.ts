import { validate } from '@careloop/fhir'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type FhirGround, fhirGround } from '../testing/fhir-ground.ts'

let ground: FhirGround
beforeAll(async () => {
  ground = await fhirGround()
})
afterAll(() => ground?.close())

const spo2 = (patient: string, over: object = {}) => ({
  resourceType: 'Observation',
  status: 'final',
  code: { coding: [{ system: 'http://loinc.org', code: '59408-5' }] },
  subject: { reference: `Patient/${patient}` },
  effectiveDateTime: '2026-02-01T08:30:00+01:00',
  valueQuantity: { value: 98, unit: '%', system: 'http://unitsofmeasure.org', code: '%' },
  ...over,
})

describe('one resource by its id', () => {
  test('is created, read, changed, patched and deleted, each with the headers of its version', async () => {
    const patient = await ground.patient()
    const created = await ground.post('/Observation', spo2(patient))
    expect(created.statusCode).toBe(201)
    const { id } = created.json()
    expect(created.headers.etag).toBe('W/"1"')
    expect(created.headers.location).toBe(`${ground.base}/Observation/${id}/_history/1`)
    expect(created.headers['content-type']).toBe('application/fhir+json; charset=utf-8')
    const at = `/Observation/${id}`
    const read = await ground.get(at)
    expect([read.statusCode, read.body]).toEqual([200, created.body])
    expect(Date.parse(String(read.headers['last-modified']))).toBeGreaterThan(0)
    expect((await ground.get(at, { 'if-none-match': 'W/"1"' })).statusCode).toBe(304)
    expect((await ground.get(at, { 'if-modified-since': String(read.headers['last-modified']) })).statusCode).toBe(304)
    const put = await ground.put(at, { ...spo2(patient, { status: 'amended' }), id }, { 'if-match': 'W/"1"' })
    expect([put.statusCode, put.headers.etag]).toEqual([200, 'W/"2"'])
    const stale = await ground.put(at, { ...spo2(patient), id }, { 'if-match': 'W/"1"' })
    expect([stale.statusCode, stale.json().resourceType]).toEqual([412, 'OperationOutcome'])
    const patched = await ground.patch(at, [{ op: 'replace', path: '/status', value: 'corrected' }])
    expect([patched.statusCode, patched.json().status, patched.headers.etag]).toEqual([200, 'corrected', 'W/"3"'])
    const failed = await ground.patch(at, [{ op: 'test', path: '/status', value: 'final' }])
    expect(failed.statusCode).toBe(422)
    const test = [{ op: 'test', path: '/status', value: 'final' }]
    expect((await ground.patch(at, test, { 'if-match': 'W/"1"' })).statusCode).toBe(412)
    const gone = await ground.delete(at)
    expect([gone.statusCode, gone.headers.etag]).toEqual([204, 'W/"4"'])
    expect((await ground.delete(at)).statusCode).toBe(204)
    expect((await ground.get(at)).statusCode).toBe(410)
    const versions = (await ground.get(`${at}/_history`)).json()
    expect(versions.entry.map((entry: { request: { method: string } }) => entry.request.method)).toEqual([
      ...['DELETE', 'PUT', 'PUT', 'POST'],
    ])
    expect((await ground.get(`${at}/_history/1`)).json().status).toBe('final')
    expect((await ground.get(`${at}/_history/4`)).statusCode).toBe(410)
    expect((await ground.get(`${at}/_history/9`)).statusCode).toBe(404)
  })

  test('is put under any legal id, with decimals to the letter, in JSON and in XML', async () => {
    const patient = await ground.patient()
    const id = 'phd-711000FEFF5F49B0.B0495F001071'
    const text = JSON.stringify({ ...spo2(patient), id }).replace('"value":98', '"value":98.500')
    const put = await ground.put(`/Observation/${id}`, text)
    expect(put.statusCode).toBe(201)
    expect((await ground.get(`/Observation/${id}`)).body).toContain('"value":98.500')
    const xml = await ground.get(`/Observation/${id}`, { accept: 'application/fhir+xml' })
    expect(xml.headers['content-type']).toBe('application/fhir+xml; charset=utf-8')
    expect(xml.body).toContain('<value value="98.500"/>')
    const again = await ground.put(`/Observation/${id}`, xml.body, { 'content-type': 'application/fhir+xml' })
    expect([again.statusCode, again.headers.etag]).toEqual([200, 'W/"1"'])
    expect((await ground.get(`/Observation/${id}?_format=xml`)).body).toBe(xml.body)
    expect((await ground.get(`/Observation/${id}?_pretty=true`)).body).toContain('\n  "id"')
    expect((await ground.get(`/Observation/${id}`, { accept: 'image/png' })).statusCode).toBe(406)
    expect((await ground.get(`/Observation/${id}?_elements=status`)).json().valueQuantity).toBeUndefined()
  })

  test('is answered as the client prefers: nothing, words, or all of it', async () => {
    const patient = await ground.patient()
    const minimal = await ground.post('/Observation', spo2(patient), { prefer: 'return=minimal' })
    expect([minimal.statusCode, minimal.body]).toEqual([201, ''])
    expect(minimal.headers.location).toContain('/Observation/')
    const words = await ground.post('/Observation', spo2(patient), { prefer: 'return=OperationOutcome' })
    expect(words.json().resourceType).toBe('OperationOutcome')
  })

  test('is refused with what is wrong and where: each rule, by expression', async () => {
    const patient = await ground.patient()
    const { status: _, ...without } = spo2(patient)
    const refused = await ground.post('/Observation', without)
    expect(refused.statusCode).toBe(422)
    const [issue] = refused.json().issue
    expect([issue.expression, issue.severity]).toEqual([['Observation.status'], 'error'])
    const stranger = await ground.post('/Observation', spo2(ground.shell.engine.ids.uuid()))
    expect([stranger.statusCode, stranger.json().issue[0].expression]).toEqual([422, ['Observation.subject']])
  })

  test.each([
    ['a type that FHIR does not have', 'GET', '/Nonsense/1', 404],
    ['a type that is not kept here', 'GET', '/ClaimResponse/1', 404],
    ['an id that nobody has', 'GET', '/Observation/nobody', 404],
    ['an operation that is not here', 'GET', '/Observation/$stats', 404],
    ['POST to a resource', 'POST', '/Observation/1', 405],
    ['the deletion of a person', 'DELETE', '/Patient/1', 405],
    ['an update without its condition', 'PUT', '/Observation', 400],
  ] as const)('%s is refused by an OperationOutcome', async (_what, method, path, status) => {
    const body = method === 'GET' || method === 'DELETE' ? undefined : { resourceType: 'Observation' }
    const answered = await ground.ask(method, path, body)
    expect([answered.statusCode, answered.json().resourceType]).toEqual([status, 'OperationOutcome'])
    expect(answered.headers['content-type']).toContain('application/fhir+json')
  })

  test('a body that is no JSON, or names a member twice, is refused before anything', async () => {
    expect((await ground.post('/Observation', '{"resourceType":')).statusCode).toBe(400)
    const twice = await ground.post(
      '/Observation',
      '{"resourceType":"Observation","status":"final","status":"amended"}',
    )
    expect([twice.statusCode, twice.json().issue[0].expression]).toEqual([400, ['Observation.status']])
    const media = await ground.post('/Observation', 'status=final', { 'content-type': 'text/plain' })
    expect([media.statusCode, media.json().resourceType]).toEqual([415, 'OperationOutcome'])
    expect(media.headers['content-type']).toContain('application/fhir+json')
    const nobody = await ground.get('/Observation/1', { authorization: '' })
    expect([nobody.statusCode, nobody.json().resourceType]).toEqual([401, 'OperationOutcome'])
    expect((await ground.get('/a/b/c/d/e/f')).json().resourceType).toBe('OperationOutcome')
  })

  test('$validate tells what a write would be told, and writes nothing', async () => {
    const patient = await ground.patient()
    const fine = await ground.post('/Observation/$validate', spo2(patient))
    expect([fine.statusCode, fine.json().issue[0].severity]).toEqual([200, 'information'])
    const parameters = {
      resourceType: 'Parameters',
      parameter: [{ name: 'resource', resource: spo2(patient, { status: 'great' }) }],
    }
    const wrong = await ground.post('/Observation/$validate', parameters)
    expect(wrong.json().issue[0]).toMatchObject({ severity: 'error', expression: ['Observation.status'] })
    expect((await ground.get(`/Observation?subject=Patient/${patient}`)).json().total).toBe(0)
  })

  test('large answers come deflated to who takes them so', async () => {
    const patient = await ground.patient()
    const note = [{ text: 'blood pressure taken at rest, arm at heart height. '.repeat(200) }]
    const { id } = (await ground.post('/Observation', spo2(patient, { note }))).json()
    const answered = await ground.get(`/Observation/${id}`, { 'accept-encoding': 'gzip' })
    expect(answered.headers['content-encoding']).toBe('gzip')
    expect(answered.rawPayload.length).toBeLessThan(2_000)
  })
})

test('metadata says what is done, to anybody: types with their interactions, searches and profiles', async () => {
  const told = await ground.get('/metadata', { authorization: '' })
  expect(told.statusCode).toBe(200)
  const { fhirVersion, format, rest } = told.json()
  expect([fhirVersion, format]).toEqual(['4.0.1', ['json', 'xml']])
  const of = (type: string) => rest[0].resource.find((each: { type: string }) => each.type === type)
  const codes = (type: string) => of(type).interaction.map(({ code }: { code: string }) => code)
  expect(codes('Observation')).toEqual(expect.arrayContaining(['read', 'vread', 'create', 'update', 'patch', 'delete']))
  expect(codes('AuditEvent')).not.toContain('create')
  expect(codes('Patient')).not.toContain('delete')
  expect(of('Observation').searchParam).toContainEqual({ name: 'code-value-quantity', type: 'composite' })
  expect(of('Observation').supportedProfile.length).toBeGreaterThan(5)
  expect(validate(told.json())).toEqual([])
  expect((await ground.get('/')).json().issue[0].diagnostics).toContain('/metadata')
})

describe('conditions', () => {
  const person = (value: string) => ({
    resourceType: 'Patient',
    identifier: [{ system: 'urn:oid:1.2.3.4', value }],
    name: [{ family: 'Racecanary', given: ['Ada'] }],
    birthDate: '1950-05-05',
  })

  test('of fifty who create one Patient on a condition at the same time one makes it, and all are told the same', async () => {
    const condition = { 'if-none-exist': 'identifier=urn:oid:1.2.3.4|race-50' }
    const all = await Promise.all(
      Array.from({ length: 50 }, () => ground.post('/Patient', person('race-50'), condition)),
    )
    expect(all.filter(({ statusCode }) => statusCode === 201)).toHaveLength(1)
    expect(all.filter(({ statusCode }) => statusCode === 200)).toHaveLength(49)
    expect(new Set(all.map(({ headers }) => headers.location)).size).toBe(1)
    const found = await ground.get('/Patient?identifier=urn:oid:1.2.3.4|race-50')
    expect(found.json().entry).toHaveLength(1)
  })

  test('an update on a condition changes the one that fulfils it, makes it where none does, and refuses where several do', async () => {
    const patient = await ground.patient()
    const marked = (value: string, over: object = {}) =>
      spo2(patient, { identifier: [{ system: 'urn:x', value }], ...over })
    const put = (value: string, body: object) => ground.ask('PUT', `/Observation?identifier=urn:x|${value}`, body)
    expect((await put('one', marked('one'))).statusCode).toBe(201)
    const changed = await put('one', marked('one', { status: 'amended' }))
    expect([changed.statusCode, changed.headers.etag]).toEqual([200, 'W/"2"'])
    await ground.post('/Observation', marked('two'))
    await ground.post('/Observation', marked('two'))
    expect((await put('two', marked('two'))).statusCode).toBe(412)
    const patch = [{ op: 'replace', path: '/status', value: 'cancelled' }]
    const patched = await ground.patch('/Observation?identifier=urn:x|one', patch)
    expect([patched.statusCode, patched.json().status]).toEqual([200, 'cancelled'])
    expect((await ground.patch('/Observation?identifier=urn:x|none', patch)).statusCode).toBe(404)
    expect((await ground.ask('DELETE', '/Observation?identifier=urn:x|two')).statusCode).toBe(412)
    expect((await ground.ask('DELETE', '/Observation?identifier=urn:x|one')).statusCode).toBe(204)
    expect((await ground.ask('DELETE', '/Observation?identifier=urn:x|one')).statusCode).toBe(204)
    expect((await ground.post('/Observation', marked('q'), { 'if-none-exist': 'nonsense=1' })).statusCode).toBe(400)
  })
})

describe('search', () => {
  test('is asked by GET, by a form, and in a compartment, and finds the same', async () => {
    const patient = await ground.patient()
    const { id } = (await ground.post('/Observation', spo2(patient))).json()
    const ids = (answered: { json(): { entry?: { resource: { id: string } }[] } }) =>
      (answered.json().entry ?? []).map(({ resource }) => resource.id)
    expect(ids(await ground.get(`/Observation?patient=${patient}&code=59408-5`))).toEqual([id])
    const form = await ground.ask('POST', '/Observation/_search', `patient=${patient}`, {
      'content-type': 'application/x-www-form-urlencoded',
    })
    expect(ids(form)).toEqual([id])
    expect(ids(await ground.get(`/Patient/${patient}/Observation?code=59408-5`))).toEqual([id])
  })
})

describe('what nobody may learn', () => {
  test('no line, metric or row in the clear holds what stands in a query, a body or an id that a client chose', async () => {
    const canary = ground.canary()
    canary.seed('name in a query', 'Querycanarywitz')
    canary.seed('identifier in a query', 'mrn-canary-990017')
    canary.seed('id by a client', 'client-id-canary-4711')
    canary.seed('words of a body', 'Bodycanary of the ward')
    const patient = await ground.patient()
    await ground.get('/Patient?family=Querycanarywitz&identifier=urn:x|mrn-canary-990017')
    await ground.post(
      '/Patient',
      { resourceType: 'Patient' },
      { 'if-none-exist': 'identifier=urn:x|mrn-canary-990017' },
    )
    const body = { ...spo2(patient, { note: [{ text: 'Bodycanary of the ward' }] }), id: 'client-id-canary-4711' }
    expect((await ground.put('/Observation/client-id-canary-4711', body)).statusCode).toBe(201)
    await ground.put('/Observation/client-id-canary-4711', { ...body, status: 'amended' })
    await ground.get('/Observation/client-id-canary-4711')
    await ground.get('/Observation/client-id-canary-4711-not-there')
    const { engine, lines } = ground.shell
    canary.hear('log', lines.join('\n'))
    canary.hear('metrics', await engine.watch.metrics.metrics())
    await canary.hearTables(engine.db.pool, ['tenant', 'engine', 'auth'])
    expect(canary.leaks).toEqual([])
    expect(lines.some((line) => line.includes('/fhir/R4/:type/:id'))).toBe(true)
  })
})
