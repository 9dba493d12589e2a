/** Readings in the record: real log, real subjects, real storage. */
import { validate } from '@careloop/fhir'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type ManualClock, makeManualClock } from '../../engine/clock/manual-clock.ts'
import { aReading, type Worn, worn } from '../../telemetry/fixtures.ts'
import { spanStart } from '../../telemetry/index.ts'
import { type ReadingsWorld, readingsWorld } from './fixtures.ts'

const MINUTE = 60_000
let clock: ManualClock
let world: ReadingsWorld

beforeAll(async () => {
  clock = makeManualClock(Date.UTC(2026, 2, 1, 8))
  world = await readingsWorld(clock)
})
afterAll(() => world?.stop())

/** Time goes on for everybody: the log says so. */
async function pass(ms: number): Promise<void> {
  await clock.advance(ms)
  await world.append({ kind: 'tick', at: clock.now() })
}

const cuff = (at: number, systolic: number, diastolic: number, pulse: number) => {
  const more = { groupId: `${at}.0`, deviceTime: at }
  return [
    aReading('systolic', at, systolic, more),
    aReading('diastolic', at, diastolic, more),
    aReading('pulse-rate', at, pulse, more),
  ]
}

const codesOf = (resource: { readonly [element: string]: unknown }): string[] =>
  (resource.code as { coding: { code: string }[] }).coding.map(({ code }) => code)

describe('readings in the record', () => {
  it('tells a cuff measurement once: one panel with components, and its pulse, from one message by its hash', async () => {
    const who = await world.person()
    const at = clock.now()
    await world.send(who, cuff(at, 148, 92, 71))
    await world.tell()
    const [one, other, ...rest] = await world.record(who.subject)
    expect(rest).toEqual([])
    const panel = [one!, other!].find((each) => codesOf(each).includes('85354-9'))!
    const pulse = [one!, other!].find((each) => codesOf(each).includes('8867-4'))!
    expect(panel).not.toHaveProperty('valueQuantity')
    expect(panel.component).toMatchObject([
      {
        code: { coding: [{ code: '8480-6' }, { code: '150021' }, { code: 'systolic' }] },
        valueQuantity: { value: 148, unit: 'mmHg', system: 'http://unitsofmeasure.org', code: 'mm[Hg]' },
        interpretation: [{ coding: [{ code: 'H' }] }],
      },
      { code: { coding: [{ code: '8462-4' }, {}, {}] }, valueQuantity: { value: 92 } },
    ])
    expect(panel.effectiveDateTime).toBe('2026-03-01T09:00:00.000+01:00')
    expect(panel.device).toEqual({ reference: `Device/${who.device}` })
    expect(panel.meta).toMatchObject({ versionId: '1', lastUpdated: new Date(at).toISOString() })
    expect(codesOf(pulse)).toContain('149546')
    const [provenance, ...more] = await world.record(who.subject, 'Provenance')
    expect(more).toEqual([])
    expect((provenance!.target as { reference: string }[]).map(({ reference }) => reference).sort()).toEqual(
      [`Observation/${panel.id}`, `Observation/${pulse.id}`].sort(),
    )
    expect(JSON.stringify(provenance!.entity)).toMatch(/"[0-9a-f]{64}"/)
    expect(provenance!.agent).toMatchObject([
      { who: { display: 'Careloop' } },
      { who: { reference: `Device/${who.device}` } },
    ])
  })

  it('joins parts of one measurement that came in two messages, and keeps a second value beside the first', async () => {
    const who = await world.person()
    const at = clock.now()
    const [systolic, diastolic] = cuff(at, 120, 70, 60)
    await world.send(who, [systolic!])
    await world.tell()
    const [first] = await world.record(who.subject)
    expect(first!.component).toMatchObject([
      { valueQuantity: { value: 120 } },
      { dataAbsentReason: { coding: [{ code: 'unknown' }] } },
    ])
    await world.send(who, [diastolic!])
    await world.send(who, [{ ...systolic!, value: 131 }])
    await world.tell()
    const all = await world.record(who.subject)
    expect(all.map(({ meta }) => meta?.versionId).sort()).toEqual(['1', '2'])
    const joined = all.find(({ id }) => id === first!.id)!
    expect(joined.component).toMatchObject([{ valueQuantity: { value: 120 } }, { valueQuantity: { value: 70 } }])
    await world.send(who, [systolic!, diastolic!])
    await world.tell()
    expect(await world.record(who.subject)).toEqual(all)
  })

  it('says what has no number, what lies beyond a limit, in which unit the device spoke, and what its clock said', async () => {
    const who = await world.person()
    const at = clock.now()
    await world.send(who, [
      aReading('glucose', at, { comparator: '<', limit: 40 }),
      aReading('body-temperature', at, 38.5, { original: { value: 101.3, unit: '[degF]' } }),
      aReading('body-weight', at, { absent: 'not-a-number' }),
      aReading('body-height', at, 1.72),
      aReading('respiratory-rate', at, 14, { deviceTime: at + 3_600_000, flags: ['clock-in-future'] }),
      aReading('spo2', at, { absent: 'unsuccessful' }),
      aReading('battery-level', at, 55),
    ])
    await world.tell()
    const found = new Map((await world.record(who.subject)).map((each) => [codesOf(each).at(-1)!, each]))
    expect([...found.keys()].sort()).toEqual(
      ['body-height', 'body-temperature', 'body-weight', 'glucose', 'respiratory-rate', 'spo2'].sort(),
    )
    expect(found.get('glucose')).toMatchObject({
      valueQuantity: { value: 40, comparator: '<', code: 'mg/dL' },
      interpretation: [{ coding: [{ code: '<' }] }],
    })
    expect(found.get('body-temperature')!.valueQuantity).toMatchObject({
      value: 38.5,
      code: 'Cel',
      extension: [{ valueQuantity: { value: 101.3, code: '[degF]' } }],
    })
    expect(found.get('body-weight')).toMatchObject({ dataAbsentReason: { coding: [{ code: 'not-a-number' }] } })
    expect(found.get('body-height')).toMatchObject({ valueQuantity: { value: 172, code: 'cm' } })
    expect(found.get('respiratory-rate')).toMatchObject({
      extension: [{ valueDateTime: '2026-03-01T10:00:00.000+01:00' }, { valueCode: 'clock-in-future' }],
      note: [{ text: expect.stringContaining('clock') }],
    })
    expect(codesOf(found.get('spo2')!).slice(0, 3)).toEqual(['59408-5', '2708-6', '150456'])
  })

  it('names the patient as the EHR does that brought them, and tells nothing of who is not there', async () => {
    const [who, nobody] = [await world.person(), worn(world.tenant)]
    const named = { resourceType: 'Patient', id: 'MRN.4711-x' }
    await world.engine.db.asTenant(world.tenant, (tx) =>
      world.clinical.keepDerived(tx, [{ resource: named, subject: who.subject, at: clock.now() }]),
    )
    for (const one of [who, nobody]) await world.send(one, [aReading('body-weight', clock.now(), 81.5)])
    await world.tell()
    const [weight] = await world.record(who.subject)
    expect(weight!.subject).toEqual({ reference: 'Patient/MRN.4711-x' })
    expect(await world.record(nobody.subject)).toEqual([])
  })

  it('names who typed a value, and no device', async () => {
    const who = await world.person()
    await world.send(who, [aReading('body-weight', clock.now(), 81.5)], { origin: 'typed', enteredBy: 'nora' })
    await world.tell()
    const [weight] = await world.record(who.subject)
    expect(weight!.performer).toEqual([{ reference: 'Practitioner/nora' }])
    expect(weight).not.toHaveProperty('device')
  })

  it('never tells a stream reading by reading: the first of a window at once, then what the window came to', async () => {
    const [who, other] = [await world.person(), await world.person()]
    await streamOf(other, 1)
    await world.tell()
    expect((await world.record(other.subject)).map(({ valueQuantity }) => valueQuantity)).toMatchObject([{ value: 60 }])
    await pass(windowOf(who) + 5 * MINUTE - clock.now())
    const begun = clock.now()
    await streamOf(who, 120)
    await pass(5 * MINUTE)
    // What was counted on the way is enough: telemetry has not been asked.
    await world.tell()
    const all = await world.record(who.subject)
    expect(all).toHaveLength(2)
    const summary = all.find(({ effectivePeriod }) => effectivePeriod !== undefined)!
    expect(summary.valueQuantity).toMatchObject({ value: 69.5, code: '/min' })
    expect(
      (summary.component as { valueQuantity: { value: number } }[]).map(({ valueQuantity }) => valueQuantity.value),
    ).toEqual([69.5, 60, 79, 120])
    expect(summary.effectivePeriod).toEqual({
      start: localTime(begun),
      end: localTime(begun + 5 * MINUTE),
    })
  })

  it('tells what came late by rewriting the window, and comes to the same after a kill at any step', async () => {
    const who = await world.person()
    await pass(5 * MINUTE)
    await world.tell()
    const begun = windowOf(who) + 5 * MINUTE
    await pass(begun - clock.now() + 1_000)
    await streamOf(who, 20)
    await killAt('batch: written')
    await streamOf(who, 20)
    await killAt('batch: committed')
    await pass(5 * MINUTE)
    await world.store()
    await killAt('windows: closed')
    const closed = await world.record(who.subject)
    expect(countOf(closed)).toBe(40)
    await world.send(who, [aReading('heart-rate', begun + 100, 200)])
    await world.store()
    await world.tell()
    await pass(MINUTE)
    await world.store()
    await world.tell()
    const rewritten = await world.record(who.subject)
    expect(countOf(rewritten)).toBe(41)
    const ofWindow = rewritten.find(({ effectivePeriod }) => effectivePeriod !== undefined)!
    expect(ofWindow.meta).toMatchObject({ versionId: '2' })
    // The late one is an Observation of its own too, as the first that came late.
    expect(rewritten).toHaveLength(closed.length + 1)
  })

  it('keeps the samples themselves of what means something only together', async () => {
    const who = await world.person()
    const begun = windowOf(who, 10_000) + 10_000
    await pass(begun - clock.now() + 5_000)
    const wave = Array.from({ length: 64 }, (_, i) =>
      aReading('blood-volume-pulse', begun + i * 16, 10 * Math.sin(i / 5)),
    )
    await world.send(who, wave.toSpliced(20, 3))
    await pass(20_000)
    await world.store()
    await world.tell()
    const [samples, ...more] = await world.record(who.subject)
    expect(more).toEqual([])
    const { data, period, factor, dimensions } = samples!.valueSampledData as Record<string, unknown>
    expect([period, factor, dimensions]).toEqual([16, 0.01, 1])
    const places = (data as string).split(' ')
    expect(places.slice(19, 24)).toEqual([
      String(Math.round(1000 * Math.sin(19 / 5))),
      'E',
      'E',
      'E',
      expect.any(String),
    ])
    expect(places).toHaveLength(64)
  })

  it('writes nothing that its own validator, with the profiles it claims, finds fault with', async () => {
    const { rows } = await world.engine.db.pool.query<{ subject_id: string }>(
      'select distinct subject_id from tenant.clinical_resource where is_derived and subject_id is not null',
    )
    let looked = 0
    for (const { subject_id } of rows)
      for (const type of ['Observation', 'Provenance'])
        for (const resource of await world.record(subject_id, type)) {
          looked++
          const errors = validate(resource).filter(({ severity }) => severity === 'error' || severity === 'fatal')
          expect({ code: resource.code, errors }).toEqual({ code: resource.code, errors: [] })
        }
    expect(looked).toBeGreaterThan(20)
  })
})

/** One reading a second from now on, rising and falling between 60 and 79. */
async function streamOf(who: Worn, seconds: number): Promise<void> {
  for (let i = 0; i < seconds; i++) {
    await world.send(who, [aReading('heart-rate', clock.now(), 60 + (i % 20))])
    await clock.advance(1_000)
  }
}

async function killAt(step: string): Promise<void> {
  const fault = (at: string) => {
    if (at === step) throw new Error(`killed at ${step}`)
  }
  await expect(world.tell(fault)).rejects.toThrow(`killed at ${step}`)
  await world.store()
  await world.tell()
}

/** Windows of each device begin at another second. */
const windowOf = ({ device }: Worn, lengthMs = 5 * MINUTE) => spanStart(device, clock.now(), lengthMs)
const localTime = (at: number) => new Date(at + 3_600_000).toISOString().replace('Z', '+01:00')
const countOf = (resources: readonly { readonly [element: string]: unknown }[]): number => {
  const summary = resources.find(({ effectivePeriod }) => effectivePeriod !== undefined)
  const components = (summary?.component ?? []) as { valueQuantity: { value: number } }[]
  return components.at(-1)?.valueQuantity.value ?? 0
}
