import { type FhirTree, parseXml, writeXml } from '@careloop/fhir'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type FhirGround, fhirGround } from '../testing/fhir-ground.ts'

let ground: FhirGround
beforeAll(async () => {
  ground = await fhirGround()
})
afterAll(() => ground?.close())

const post = (bundle: object, headers?: Record<string, string>) => ground.post('', bundle, headers)
const transaction = (...entry: object[]) => ({ resourceType: 'Bundle', type: 'transaction', entry })
const batch = (...entry: object[]) => ({ resourceType: 'Bundle', type: 'batch', entry })
const entryOf = (method: string, url: string, more: object = {}) => ({ request: { method, url }, ...more })
const weight = (reference: string, over: object = {}) => ({
  resourceType: 'Observation',
  status: 'final',
  category: [
    { coding: [{ system: 'http://terminology.hl7.org/CodeSystem/observation-category', code: 'vital-signs' }] },
  ],
  code: { coding: [{ system: 'http://loinc.org', code: '29463-7' }] },
  subject: { reference },
  effectiveDateTime: '2026-03-01',
  valueQuantity: { value: 71.5, unit: 'kg', system: 'http://unitsofmeasure.org', code: 'kg' },
  ...over,
})
const person = (value: string) => ({
  resourceType: 'Patient',
  identifier: [{ system: 'urn:oid:1.2.3.9', value }],
  name: [{ family: 'Bundlecanary', given: ['Ida'] }],
})
const urn = (n: number) => `urn:uuid:00000000-0000-4000-8000-${String(n).padStart(12, '0')}`
const statuses = (answered: { json(): { entry?: { response: { status: string } }[] } }) =>
  (answered.json().entry ?? []).map(({ response }) => response.status)
const left = async () => {
  const { rows } = await ground.shell.engine.db.pool.query<{ n: string }>(
    `select (select count(*) from tenant.clinical_resource) + (select count(*) from tenant.subject) as n`,
  )
  return Number(rows[0]!.n)
}

describe('a transaction', () => {
  test('puts references inside it to where their targets stand, whatever their order', async () => {
    const told = await post(
      transaction(
        entryOf('POST', 'Provenance', {
          resource: {
            ...{ resourceType: 'Provenance', recorded: '2026-03-01T10:00:00Z', target: [{ reference: urn(2) }] },
            agent: [{ who: { reference: urn(1) } }],
            text: {
              status: 'generated',
              div: `<div xmlns="http://www.w3.org/1999/xhtml"><a href="${urn(2)}">it</a></div>`,
            },
          },
        }),
        entryOf('POST', 'Observation', { fullUrl: urn(2), resource: weight(urn(1)) }),
        entryOf('POST', 'Patient', { fullUrl: urn(1), resource: person('t-1') }),
      ),
    )
    expect([told.statusCode, statuses(told)]).toEqual([200, ['201 Created', '201 Created', '201 Created']])
    const [provenance, observation, patient] = told
      .json()
      .entry.map(({ response }: { response: { location: string } }) =>
        response.location.replace(ground.base, '').replace(/\/_history.*/, ''),
      )
    expect((await ground.get(observation)).json().subject.reference).toBe(patient.slice(1))
    const read = (await ground.get(provenance)).json()
    expect([read.target[0].reference, read.agent[0].who.reference]).toEqual([observation.slice(1), patient.slice(1)])
    expect(read.text.div).toContain(`href="${observation.slice(1)}"`)
    expect((await ground.get(`${patient}/Observation`)).json().entry).toHaveLength(1)
  })

  test('that fails in its last entry leaves nothing, and names the entry and the element', async () => {
    const before = await left()
    const entries = Array.from({ length: 20 }, (_, at) =>
      entryOf('POST', 'Observation', { resource: weight(urn(1), { note: [{ text: `n${at}` }] }) }),
    )
    const wrong = entryOf('POST', 'Observation', { resource: weight('Patient/nobody-here') })
    const told = await post(
      transaction(entryOf('POST', 'Patient', { fullUrl: urn(1), resource: person('t-2') }), ...entries, wrong),
    )
    expect(told.statusCode).toBe(422)
    expect(told.json().issue[0].expression).toEqual(['Bundle.entry[21].resource.subject'])
    expect(await left()).toBe(before)
    const invalid = entryOf('POST', 'Observation', { resource: weight(urn(1), { status: 'weighed' }) })
    const refused = await post(
      transaction(entryOf('POST', 'Patient', { fullUrl: urn(1), resource: person('t-2') }), invalid),
    )
    expect([refused.statusCode, refused.json().issue[0].expression]).toEqual([422, ['Bundle.entry[1].resource.status']])
    const notThere = await post(
      transaction(
        entryOf('POST', 'Patient', { fullUrl: urn(1), resource: person('t-2') }),
        entryOf('GET', 'Observation/none'),
      ),
    )
    expect(notThere.statusCode).toBe(422)
    expect(await left()).toBe(before)
  })

  test('deletes before it creates, updates and patches, and reads at the end', async () => {
    const patient = await ground.patient()
    const of = (id: string, over: object = {}) => ({ ...weight(`Patient/${patient}`, over), id })
    await ground.put('/Observation/order-a', of('order-a'))
    await ground.put('/Observation/order-b', of('order-b'))
    const patch = Buffer.from(JSON.stringify([{ op: 'replace', path: '/status', value: 'corrected' }])).toString(
      'base64',
    )
    const told = await post(
      transaction(
        entryOf('GET', 'Observation/order-c'),
        entryOf('PATCH', 'Observation/order-b', {
          resource: { resourceType: 'Binary', contentType: 'application/json-patch+json', data: patch },
        }),
        entryOf('PUT', 'Observation/order-c', { resource: of('order-c') }),
        entryOf('DELETE', 'Observation/order-a'),
      ),
    )
    expect(statuses(told)).toEqual(['200 OK', '200 OK', '201 Created', '204 No Content'])
    expect(told.json().entry[0].resource.id).toBe('order-c')
    expect((await ground.get('/Observation/order-b')).json().status).toBe('corrected')
    expect((await ground.get('/Observation/order-a')).statusCode).toBe(410)
  })

  test('searches what it has written, and is not done at all where a search is asked wrongly', async () => {
    const patient = await ground.patient()
    const entry = entryOf('POST', 'Observation', { resource: weight(`Patient/${patient}`) })
    const told = await post(transaction(entryOf('GET', `Observation?patient=${patient}`), entry))
    expect(told.json().entry[0].resource.entry).toHaveLength(1)
    const before = await left()
    const wrong = await post(transaction(entry, entryOf('GET', 'Observation?date=yesterday')))
    expect([wrong.statusCode, await left()]).toEqual([400, before])
  })

  test('resolves conditions and conditional references first: what is there is used and not made again', async () => {
    const bundle = transaction(
      entryOf('POST', 'Patient', {
        fullUrl: urn(1),
        resource: person('t-3'),
        request: { method: 'POST', url: 'Patient', ifNoneExist: 'identifier=urn:oid:1.2.3.9|t-3' },
      }),
      entryOf('POST', 'Observation', { resource: weight(urn(1)) }),
    )
    const [first, second] = [await post(bundle), await post(bundle)]
    expect([statuses(first), statuses(second)]).toEqual([
      ['201 Created', '201 Created'],
      ['200 OK', '201 Created'],
    ])
    expect(second.json().entry[0].response.location).toBe(first.json().entry[0].response.location)
    const byCondition = await post(
      transaction(entryOf('POST', 'Observation', { resource: weight('Patient?identifier=urn:oid:1.2.3.9|t-3') })),
    )
    expect(statuses(byCondition)).toEqual(['201 Created'])
    const found = (await ground.get('/Observation?patient.identifier=urn:oid:1.2.3.9|t-3')).json()
    expect(found.entry).toHaveLength(3)
    const none = await post(
      transaction(entryOf('POST', 'Observation', { resource: weight('Patient?identifier=urn:oid:1.2.3.9|none') })),
    )
    expect(none.statusCode).toBe(412)
  })

  test.each([
    [
      'two entries of one fullUrl',
      [
        entryOf('POST', 'Patient', { fullUrl: urn(1), resource: person('x') }),
        entryOf('POST', 'Patient', { fullUrl: urn(1), resource: person('y') }),
      ],
      400,
    ],
    [
      'two entries that change one resource',
      [entryOf('DELETE', 'Observation/q'), entryOf('DELETE', 'Observation/q')],
      400,
    ],
    ['an entry without a request', [{ resource: person('x') }], 400],
    [
      'a url of another server',
      [entryOf('POST', 'http://elsewhere.example.org/Patient', { resource: person('x') })],
      400,
    ],
    ['a type that is not kept here', [entryOf('GET', 'Claim/1')], 422],
  ] as const)('with %s is refused', async (_what, entries, status) => {
    const told = await post(transaction(...entries))
    expect([told.statusCode, told.json().resourceType]).toEqual([status, 'OperationOutcome'])
    expect(told.json().issue[0].expression[0]).toMatch(/^Bundle\.entry\[\d\]/)
  })

  test('of a thousand entries is as good as one of two', async () => {
    const patient = await ground.patient()
    const entries = Array.from({ length: 1_000 }, (_, at) =>
      entryOf('POST', 'Observation', {
        resource: weight(`Patient/${patient}`, { effectiveDateTime: new Date(1.7e12 + at * 60_000).toISOString() }),
      }),
    )
    const told = await post(transaction(...entries))
    expect(new Set(statuses(told))).toEqual(new Set(['201 Created']))
    const counted = await ground.get(`/Observation?patient=${patient}&_summary=count`)
    expect(counted.json().total).toBe(1_000)
  }, 60_000)
})

test('a transaction comes and is answered in XML as in JSON', async () => {
  const bundle = transaction(
    entryOf('POST', 'Patient', { fullUrl: urn(1), resource: person('xml-1') }),
    entryOf('POST', 'Observation', { fullUrl: urn(2), resource: weight(urn(1)) }),
  )
  const xml = writeXml(bundle as unknown as FhirTree)
  const told = await ground.post('', xml, { 'content-type': 'application/fhir+xml', accept: 'application/fhir+xml' })
  expect([told.statusCode, told.headers['content-type']]).toEqual([200, 'application/fhir+xml; charset=utf-8'])
  const answered = parseXml(told.body) as unknown as { entry: { response: { status: string } }[] }
  expect(answered.entry.map(({ response }) => response.status)).toEqual(['201 Created', '201 Created'])
  const found = await ground.get('/Observation?patient.identifier=urn:oid:1.2.3.9|xml-1', {
    accept: 'application/fhir+xml',
  })
  expect(found.body).toContain('<value value="71.5"/>')
})

describe('a batch', () => {
  test('does each entry by itself: one that fails says why, and the others stand', async () => {
    const patient = await ground.patient()
    const told = await post(
      batch(
        entryOf('POST', 'Observation', { resource: weight(`Patient/${patient}`) }),
        entryOf('POST', 'Observation', { resource: weight('Patient/nobody-here') }),
        entryOf('GET', `Patient/${patient}`),
        entryOf('GET', `Observation?patient=${patient}`),
        entryOf('GET', 'Observation/none'),
      ),
    )
    const answers = statuses(told)
    expect([answers[0], answers[1], answers[3], answers[4]]).toEqual([
      ...['201 Created', '422 Unprocessable Entity', '200 OK', '404 Not Found'],
    ])
    expect(told.json().entry[1].response.outcome.issue[0].expression).toEqual(['Observation.subject'])
  })
})
