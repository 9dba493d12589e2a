/** Observations of other systems: what of them rules get to see, and that none comes back a second time. */
import type { FhirTree } from '@careloop/fhir'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type ManualClock, makeManualClock } from '../../engine/clock/manual-clock.ts'
import { byTest } from '../../subjects/fixtures.ts'
import { aReading } from '../../telemetry/fixtures.ts'
import { type ReadingsWorld, readingsWorld } from './fixtures.ts'

let clock: ManualClock
let world: ReadingsWorld

beforeAll(async () => {
  clock = makeManualClock(Date.UTC(2026, 2, 1, 8))
  world = await readingsWorld(clock)
})
afterAll(() => world?.stop())

const ucum = (value: number, code: string) => ({
  valueQuantity: { value, unit: code, system: 'http://unitsofmeasure.org', code },
})
const loinc = (code: string) => ({ code: { coding: [{ system: 'http://loinc.org', code }] } })

const observation = (subject: string, id: string, over: Readonly<Record<string, unknown>>): FhirTree =>
  ({
    resourceType: 'Observation',
    id,
    status: 'final',
    category: [
      { coding: [{ system: 'http://terminology.hl7.org/CodeSystem/observation-category', code: 'vital-signs' }] },
    ],
    subject: { reference: `Patient/${subject}` },
    effectiveDateTime: '2026-03-01T08:59:00+01:00',
    ...over,
  }) as unknown as FhirTree

/** Readings of the subject in the log, as `signal value`. */
async function readings(subject: string): Promise<string[]> {
  const commits = await world.engine.log.read(0, 0, 10_000)
  return commits
    .flatMap(({ entries }) => entries)
    .flatMap((entry) => (entry.kind === 'readings' && entry.subject === subject ? entry.readings : []))
    .map(({ signal, value }) => `${signal} ${typeof value === 'number' ? value : JSON.stringify(value)}`)
}

const put = (tree: FhirTree) => world.clinical.update(byTest(world.tenant), tree)
const patient = async () => (await world.person()).subject

describe('an Observation by FHIR', () => {
  it('becomes a reading in the canonical unit, keeps its own words, and is not told a second time', async () => {
    const subject = await patient()
    const sent = observation(subject, 'ehr-temp.1', { ...loinc('8310-5'), ...ucum(101.3, '[degF]') })
    const { stored } = await put(sent)
    expect(await readings(subject)).toEqual(['body-temperature 38.5'])
    await world.tell()
    expect(await world.record(subject)).toEqual([])
    expect((await world.clinical.read(byTest(world.tenant), 'Observation', 'ehr-temp.1')).text).toBe(stored.text)
    const [entry] = (await world.engine.log.read(0, 0, 10_000)).flatMap(({ entries }) => entries).slice(-1)
    expect(entry).toMatchObject({ kind: 'readings', origin: 'ehr', door: 'manual', subject })
    await world.store()
    const { isChanged } = await put(sent)
    expect(isChanged).toBe(false)
    await put({ ...sent, note: [{ text: 'after a hot bath' }] } as unknown as FhirTree)
    expect(await readings(subject)).toHaveLength(1)
    await put({ ...sent, status: 'amended', ...ucum(100.4, '[degF]') } as unknown as FhirTree)
    expect(await readings(subject)).toEqual(['body-temperature 38.5', 'body-temperature 38'])
  })

  it('that is posted again, because its answer was lost, is one reading; of another device, time or value it is another', async () => {
    const subject = await patient()
    const sent = observation(subject, 'first', { ...loinc('8310-5'), ...ucum(38.1, 'Cel') })
    await put(sent)
    await put({ ...sent, id: 'second' } as unknown as FhirTree)
    await put({ ...sent, id: 'third', note: [{ text: 'sent again' }] } as unknown as FhirTree)
    expect(await readings(subject)).toEqual(['body-temperature 38.1'])
    await put({ ...sent, id: 'other-device', device: { reference: 'Device/thermometer-2' } } as unknown as FhirTree)
    await put({ ...sent, id: 'later', effectiveDateTime: '2026-03-01T08:59:01+01:00' } as unknown as FhirTree)
    await put({ ...sent, id: 'other-value', ...ucum(38.2, 'Cel') } as unknown as FhirTree)
    expect(await readings(subject)).toEqual([
      ...['body-temperature 38.1', 'body-temperature 38.1', 'body-temperature 38.1', 'body-temperature 38.2'],
    ])
  })

  it('tells a cuff measurement as one, and a pulse by the code that says of what it is', async () => {
    const subject = await patient()
    const component = [
      { ...loinc('8480-6'), ...ucum(120, 'mm[Hg]') },
      { ...loinc('8462-4'), ...ucum(80, 'mm[Hg]') },
    ]
    await put(observation(subject, 'bp', { ...loinc('85354-9'), component }))
    const mdc = { system: 'urn:iso:std:iso:11073:10101', code: '149546' }
    const pulse = { code: { coding: [{ system: 'http://loinc.org', code: '8867-4' }, mdc] } }
    await put(observation(subject, 'pulse', { ...pulse, ...ucum(66, '/min') }))
    const mean = { ...loinc('8478-0'), ...ucum(12, 'kPa') }
    await put(JSON.parse(JSON.stringify(observation(subject, 'map', { ...mean, category: undefined }))) as FhirTree)
    expect(await readings(subject)).toEqual([
      'systolic 120',
      'diastolic 80',
      'pulse-rate 66',
      'mean-arterial-pressure 90.0076506503',
    ])
    const entries = (await world.engine.log.read(0, 0, 10_000)).flatMap((commit) => commit.entries)
    const [cuff] = entries.filter((entry) => entry.kind === 'readings' && entry.subject === subject)
    const groups = cuff?.kind === 'readings' ? cuff.readings.map(({ groupId }) => groupId) : []
    expect([groups.length, new Set(groups).size]).toEqual([2, 1])
    expect(groups[0]).toBeDefined()
  })

  it.each([
    ['preliminary', { status: 'preliminary' }],
    ['cancelled', { status: 'cancelled' }],
    ['entered in error', { status: 'entered-in-error' }],
    ['of a code that is no signal of ours', loinc('2160-0')],
    ['implausible', ucum(720, '/min')],
    ['without the time of day', { effectiveDateTime: '2026-03-01' }],
    [
      'a mean over a day',
      { effectiveDateTime: undefined, effectivePeriod: { start: '2026-02-28T00:00:00Z', end: '2026-03-01T00:00:00Z' } },
    ],
    ['from the future', { effectiveDateTime: '2026-03-02T08:00:00Z' }],
    [
      'test data',
      { meta: { security: [{ system: 'http://terminology.hl7.org/CodeSystem/v3-ActReason', code: 'HTEST' }] } },
    ],
    ['about a fetus of the patient', { focus: [{ reference: 'RelatedPerson/fetus' }] }],
    [
      'changed in its meaning by an extension',
      { modifierExtension: [{ url: 'https://ehr.example/not-this-patient', valueBoolean: true }] },
    ],
    [
      'in a component changed in its meaning',
      {
        valueQuantity: undefined,
        component: [
          {
            ...loinc('8867-4'),
            ...ucum(72, '/min'),
            modifierExtension: [{ url: 'https://ehr.example/planned', valueBoolean: true }],
          },
        ],
      },
    ],
    ['under rules that we do not know', { implicitRules: 'https://ehr.example/rules' }],
    ['masked', { valueQuantity: undefined, dataAbsentReason: { coding: [{ code: 'masked' }] } }],
  ])('%s stays a resource: rules see nothing of it', async (name, over) => {
    const subject = await patient()
    const tree = { ...loinc('8867-4'), ...ucum(72, '/min'), ...over }
    const plain = JSON.parse(
      JSON.stringify(observation(subject, `none-${name.replaceAll(' ', '-')}`, tree)),
    ) as FhirTree
    await put(plain)
    expect(await readings(subject)).toEqual([])
  })

  it('that says a number is missing, or only where its limit is, says so to the rules', async () => {
    const subject = await patient()
    const quantity = { ...ucum(40, 'mg/dL').valueQuantity, comparator: '<' }
    await put(observation(subject, 'low', { ...loinc('2339-0'), valueQuantity: quantity }))
    const dataAbsentReason = {
      coding: [{ system: 'http://terminology.hl7.org/CodeSystem/data-absent-reason', code: 'not-a-number' }],
    }
    await put(observation(subject, 'nan', { ...loinc('59408-5'), dataAbsentReason }))
    expect(await readings(subject)).toEqual(['glucose {"comparator":"<","limit":40}', 'spo2 {"absent":"not-a-number"}'])
  })

  it('that is one of our own, sent back by whoever keeps a copy, is no new reading', async () => {
    const who = await world.person()
    await world.send(who, [aReading('body-weight', clock.now(), 81.5)])
    await world.tell()
    const [own] = await world.record(who.subject)
    await put({ ...own, id: 'copy-of-it', meta: { source: 'urn:ehr' } } as unknown as FhirTree)
    expect(await readings(who.subject)).toEqual(['body-weight 81.5'])
    await expect(put(own as unknown as FhirTree)).rejects.toMatchObject({ code: 'resource-derived' })
  })
})
