import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type FhirGround, fhirGround } from '../testing/fhir-ground.ts'
import { servedTypes } from '../types.ts'

const material = fileURLToPath(new URL('../../../../../../shared/material/fhir/', import.meta.url))
const isThere = existsSync(material)
if (!isThere) console.info('The shared test material is not beside this checkout: no official example is loaded.')

let ground: FhirGround
beforeAll(async () => {
  ground = await fhirGround()
})
afterAll(() => ground?.close())

interface Example {
  readonly resourceType: string
  readonly id: string
  readonly [element: string]: unknown
}
const textsIn = (folder: string) =>
  readdirSync(material + folder).map((name) => readFileSync(`${material}${folder}/${name}`, 'utf8'))
const readOnly = ['Bundle', 'AuditEvent', 'OperationOutcome', 'Subscription']
const isLoaded = ({ resourceType, id }: Example) =>
  id !== undefined && resourceType in servedTypes && !readOnly.includes(resourceType)

/** Elements that the store sets; whatever else was sent is given back to the letter. */
const withoutMeta = (text: string) =>
  text.replace(/"versionId":"\d+","lastUpdated":"[^"]*",?/, '').replace('"meta":{},', '')
const squeezed = (text: string) => {
  // Spelling is compared, white space and the place of id and meta are not.
  const { resourceType, id, meta, ...rest } = JSON.parse(text, (_, value, context?: { source: string }) =>
    typeof value === 'number' ? `number ${context?.source}` : value,
  )
  const { versionId: _v, lastUpdated: _l, ...kept } = meta ?? {}
  return { resourceType, id, ...(Object.keys(kept).length === 0 ? {} : { meta: kept }), ...rest }
}

/** Patients that examples are of and that the material does not bring along. */
function missingPatients(examples: readonly Example[], text: string): Example[] {
  const there = new Set(examples.filter(({ resourceType }) => resourceType === 'Patient').map(({ id }) => id))
  const named = [...text.matchAll(/"reference"\s*:\s*"Patient\/([A-Za-z0-9\-.]{1,64})"/g)].map(([, id]) => id!)
  return [...new Set(named)]
    .filter((id) => !there.has(id))
    .map((id) => ({
      resourceType: 'Patient',
      id,
      name: [{ family: 'Elsewhere' }],
      gender: 'unknown',
      identifier: [{ system: 'urn:elsewhere', value: id }],
    }))
}

test.each([['phd-examples'], ['us-core-examples']])(
  '%s load as one transaction and read back equal',
  async (folder) => {
    if (!isThere) return
    const texts = textsIn(folder).filter((text) => isLoaded(JSON.parse(text)))
    const examples = texts.map((text) => JSON.parse(text) as Example)
    const known = new Set<string>()
    const once = texts.filter((text) => {
      const { resourceType, id } = JSON.parse(text) as Example
      const name = `${resourceType}/${id}`
      return !known.has(name) && known.add(name)
    })
    const others = missingPatients(examples, texts.join('\n')).map((each) => JSON.stringify(each))
    const entry = [...others, ...once].map((text) => {
      const { resourceType, id } = JSON.parse(text) as Example
      return `{"resource":${text},"request":{"method":"PUT","url":"${resourceType}/${id}"}}`
    })
    const told = await ground.post('', `{"resourceType":"Bundle","type":"transaction","entry":[${entry.join(',')}]}`)
    expect([told.statusCode, told.statusCode === 200 ? '' : told.json().issue]).toEqual([200, ''])
    expect(once.length).toBeGreaterThan(20)
    for (const text of once) {
      const { resourceType, id } = JSON.parse(text) as Example
      const read = await ground.get(`/${resourceType}/${id}`)
      expect(squeezed(read.body)).toEqual(squeezed(text))
    }
  },
  120_000,
)

test("HL7's pulse oximetry transaction passes: a conditional Patient, devices and readings that point to each other", async () => {
  if (!isThere) return
  const bundle = readFileSync(`${material}phd-examples/bundle-example-1.json`, 'utf8')
  const { shell } = ground
  const authorization = await shell.token(['*:*'], await shell.identity.createTenant('Where nobody was before'))
  const told = await ground.post('', bundle, { authorization })
  expect([told.statusCode, told.statusCode === 200 ? '' : told.json().issue]).toEqual([200, ''])
  const places = told
    .json()
    .entry.map(({ response }: { response: { location: string } }) =>
      response.location.replace(ground.base, '').replace(/\/_history.*/, ''),
    )
  const observation = (await ground.get(places.at(-1), { authorization })).json()
  expect(`/${observation.subject.reference}`).toBe(places[0])
  expect(withoutMeta(JSON.stringify(observation))).not.toContain('urn:uuid')
  expect((await ground.get(`${places[0]}/Observation`, { authorization })).json().entry.length).toBeGreaterThanOrEqual(
    2,
  )
})
