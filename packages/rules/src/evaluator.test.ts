import fc from 'fast-check'
import { expect, test } from 'vitest'
import { type CompiledRule, compileRule } from './compiled.ts'
import { Evaluator } from './evaluator.ts'
import { maxPoints } from './lane.ts'
import { maxEvidence } from './machine.ts'
import { type Limit, opposite, type ThresholdRule } from './rule.ts'
import { loadState, saveState } from './state.ts'
import { historicAfterMs, type RuleState, type SubjectRule } from './track.ts'
import type { Transition } from './transition.ts'

const minute = 60_000
const start = Date.parse('2026-03-02T08:00:00Z')

const limit = (signal: string, is: Limit['is'], value: number): Limit => ({ signal, is, limit: value })
function rule(change: Partial<ThresholdRule> = {}): CompiledRule {
  const when = change.when ?? { mode: 'any', limits: [limit('systolic', '>=', 180), limit('diastolic', '>=', 120)] }
  return compileRule({
    kind: 'threshold',
    when,
    match: 'measurement',
    hold: { forMs: 0, inARow: 1, withinMs: null },
    validForMs: 30 * minute,
    clear: { when: opposite(when), forMs: 0, inARow: 1 },
    per: 'subject',
    ...change,
  })
}
const onlySystolic = (value: number) =>
  ({ mode: 'any', limits: [limit('systolic', '>=', value), limit('diastolic', '>=', 120)] }) as const
const warm = { mode: 'any', limits: [limit('temperature-probe', '>', 8)] } as const
const compiled: Record<string, CompiledRule> = {
  severe: rule(),
  inARow: rule({ hold: { forMs: 0, inARow: 3, withinMs: 60 * minute } }),
  held: rule({ when: warm, hold: { forMs: 5 * minute, inARow: 1, withinMs: null }, per: 'device' }),
  slowToClear: rule({ when: warm, clear: { when: opposite(warm), forMs: 3 * minute, inARow: 2 } }),
  both: rule({
    when: { mode: 'all', limits: [limit('systolic', '>=', 180), limit('temperature-probe', '>', 8)] },
    match: 'latest',
  }),
}
const specs: SubjectRule[] = Object.entries(compiled).map(([code, of]) => ({
  ...{ rule: code, version: 1, enrolment: 'e', from: 0, to: null },
  compiled: of,
}))

/** What happens: a reading delivered with a delay, or time passing. */
type Happening =
  | { kind: 'reading'; signal: string; value: number; gapMs: number; delayMs: number; group: number; device: number }
  | { kind: 'tick'; gapMs: number }

const happening = (maxDelayMs: number): fc.Arbitrary<Happening> =>
  fc.oneof(
    {
      weight: 6,
      arbitrary: fc
        .record({
          signal: fc.constantFrom('systolic', 'diastolic', 'temperature-probe'),
          high: fc.boolean(),
          gapMs: fc.integer({ min: 0, max: 6 * minute }),
          delayMs: fc.oneof(fc.constant(0), fc.integer({ min: 0, max: maxDelayMs })),
          group: fc.integer({ min: 0, max: 2 }),
          device: fc.integer({ min: 0, max: 1 }),
        })
        .map(({ high, ...rest }): Happening => {
          const value = rest.signal === 'temperature-probe' ? (high ? 9 : 5) : high ? 185 : 100
          return { kind: 'reading', ...rest, value }
        }),
    },
    {
      weight: 1,
      arbitrary: fc.record({ kind: fc.constant('tick' as const), gapMs: fc.integer({ min: 0, max: 20 * minute }) }),
    },
  )

interface Delivery {
  storedAt: number
  reading: (Happening & { kind: 'reading' }) | null
  at: number
}

/** Happenings in order of being measured become deliveries in order of being stored. */
function deliver(happenings: readonly Happening[]): Delivery[] {
  let at = start
  const deliveries = happenings.map((each): Delivery => {
    at += each.gapMs
    const reading = each.kind === 'reading' ? each : null
    return { storedAt: at + (reading?.delayMs ?? 0), reading, at }
  })
  return deliveries.sort((a, b) => a.storedAt - b.storedAt)
}

function feed(evaluator: Evaluator, { storedAt, reading, at }: Delivery, position: number): void {
  if (reading !== null) {
    const { signal, value, group, device } = reading
    const logged = { signal, value, measuredAt: at, ordinal: 0, ...(group === 0 ? {} : { groupId: `${group}-${at}` }) }
    const source = { partition: 0, position, index: 0, device: `d${device}`, receivedAt: storedAt, storedAt }
    evaluator.readings('s', [logged], source)
  }
  evaluator.advance(storedAt)
}

function run(deliveries: readonly Delivery[], restartAt: (index: number) => boolean) {
  let evaluator = new Evaluator()
  evaluator.configure('s', specs)
  const told: Transition[] = []
  deliveries.forEach((delivery, index) => {
    feed(evaluator, delivery, index + 1)
    told.push(...evaluator.takeTransitions())
    if (restartAt(index)) evaluator = restarted(evaluator)
  })
  return { told, rules: evaluator.state('s')! }
}

function restarted(evaluator: Evaluator): Evaluator {
  const saved = JSON.parse(JSON.stringify(saveState(evaluator.state('s')!)))
  const next = new Evaluator()
  const { rules, devices } = loadState(saved, (code) => compiled[code]!, 's')!
  next.restore('s', rules, devices)
  next.restoreHearing(JSON.parse(JSON.stringify(evaluator.hearing())))
  next.advance(evaluator.now)
  expect(next.takeTransitions()).toEqual([])
  return next
}

const json = (value: unknown) => JSON.parse(JSON.stringify(value))
const stateOf = (rules: readonly RuleState[]) => json(saveState(rules))

test('rules > any restart points give the same transitions and the same state', () => {
  fc.assert(
    fc.property(
      fc.array(happening(40 * minute), { maxLength: 60 }),
      fc.array(fc.boolean(), { minLength: 60, maxLength: 60 }),
      (happenings, restarts) => {
        const deliveries = deliver(happenings)
        const straight = run(deliveries, () => false)
        const broken = run(deliveries, (index) => restarts[index]!)
        expect(json(broken.told)).toEqual(json(straight.told))
        expect(stateOf(broken.rules)).toEqual(stateOf(straight.rules))
      },
    ),
    { numRuns: 300 },
  )
})

test('rules > what is told alternates: raised, cleared, raised, and ends as the state stands', () => {
  fc.assert(
    fc.property(fc.array(happening(14 * minute), { maxLength: 80 }), (happenings) => {
      const { told, rules } = run(deliver(happenings), () => false)
      for (const state of rules) {
        for (const track of state.tracks) {
          const mine = told.filter((each) => each.rule === state.spec.rule && each.focus === track.focus)
          const spoken = mine.filter((each) => each.what !== 'evidence-changed')
          expect(spoken.map((each) => each.what)).toEqual(
            spoken.map((_, index) => (index % 2 === 0 ? 'raised' : 'cleared')),
          )
          expect(track.live.head.active).toBe(spoken.length % 2 === 1)
        }
      }
    }),
    { numRuns: 300 },
  )
})

test('rules > readings late by less than 15 minutes lose no alert that they would have raised in order', () => {
  fc.assert(
    fc.property(fc.array(happening(14 * minute), { maxLength: 60 }), (drawn) => {
      // Two values of one instant have no order: whichever comes last counts.
      const happenings = drawn.map((each) => ({ ...each, gapMs: each.gapMs + 1 }))
      const deliveries = deliver(happenings)
      const inOrder = deliver(happenings.map((each) => (each.kind === 'tick' ? each : { ...each, delayMs: 0 })))
      const { told } = run(deliveries, () => false)
      const late = spans(told)
      for (const wanted of spans(run(inOrder, () => false).told)) {
        // Either an alert of its own, or evidence added to the alert that stood when it was found.
        const found =
          late.some((span) => span.key === wanted.key && span.from <= wanted.to && wanted.from <= span.to) ||
          told.some((each) => each.what === 'evidence-changed' && keyOf(each) === wanted.key && within(wanted, each.at))
        expect(found, JSON.stringify(wanted)).toBe(true)
      }
    }),
    { numRuns: 300 },
  )
})

const keyOf = (told: Transition) => `${told.rule}/${told.focus}`
const within = (span: { from: number; to: number }, at: number) => at >= span.from && at <= span.to

/** From the start of the breach to its clearing. */
function spans(told: readonly Transition[]): { key: string; from: number; to: number }[] {
  const all: { key: string; from: number; to: number }[] = []
  for (const each of told) {
    if (each.rule === 'both') continue // `latest` judges what was known at the time; late signals change what that is
    const key = keyOf(each)
    if (each.what === 'raised') all.push({ key, from: each.breach!.since, to: Number.POSITIVE_INFINITY })
    const open = all.findLast((span) => span.key === key)
    if (each.what === 'cleared' && open) open.to = each.at
  }
  return all
}

test('rules > memory is bounded however long and however wild the input', () => {
  const evaluator = new Evaluator()
  evaluator.configure('s', specs)
  for (let i = 0; i < 20_000; i++) {
    const at = start + i * 500
    const reading = { kind: 'reading', signal: 'temperature-probe', value: i % 3 === 0 ? 9 : 5 } as const
    feed(evaluator, { storedAt: at, at, reading: { ...reading, gapMs: 0, delayMs: 0, group: 0, device: 0 } }, i + 1)
  }
  for (const { tracks } of evaluator.state('s')!) {
    for (const { live } of tracks) {
      expect(live.points.length).toBeLessThanOrEqual(maxPoints + 1)
      expect(live.head.evidence.length).toBeLessThanOrEqual(maxEvidence)
      expect(live.pins.length).toBeLessThanOrEqual(maxPoints + 1)
    }
  }
})

test('rules > a steady stream at one a second keeps only a handful of points', () => {
  const evaluator = new Evaluator()
  evaluator.configure('s', specs)
  for (let i = 0; i < 7_200; i++) {
    const at = start + i * 1_000
    const reading = { kind: 'reading', signal: 'temperature-probe', value: 5 } as const
    feed(evaluator, { storedAt: at, at, reading: { ...reading, gapMs: 0, delayMs: 0, group: 0, device: 0 } }, i + 1)
  }
  const held = evaluator.state('s')!.find((state) => state.spec.rule === 'held')!
  expect(held.tracks[0]!.live.points.length).toBeLessThan((historicAfterMs / minute) * 3)
})

test('rules > a rule that throws rests for that subject, the others go on', () => {
  const evaluator = new Evaluator()
  const broken: CompiledRule = {
    ...rule(),
    get when(): never {
      throw new TypeError('broken')
    },
  }
  const bad = { ...specs[0]!, rule: 'bad', compiled: broken }
  evaluator.configure('s', [bad, specs[0]!])
  const reading = {
    kind: 'reading',
    signal: 'systolic',
    value: 185,
    gapMs: 0,
    delayMs: 0,
    group: 0,
    device: 0,
  } as const
  feed(evaluator, { storedAt: start, at: start, reading }, 1)
  feed(evaluator, { storedAt: start + 1, at: start + 1, reading }, 2)
  const told = evaluator.takeTransitions().map(({ what, rule: of, error }) => ({ what, of, error }))
  expect(told).toEqual([
    { what: 'rule-failed', of: 'bad', error: 'TypeError' },
    { what: 'raised', of: 'severe', error: undefined },
  ])
})

/** The rule, and from a word on one that throws wherever it is asked. */
function breakable(of: CompiledRule): { readonly compiled: CompiledRule; break(): void } {
  let isBroken = false
  const compiled = new Proxy(of, {
    get(target, name) {
      if (isBroken && name !== 'body' && name !== 'isAbsence' && name !== 'perDevice') throw new TypeError('broken')
      return Reflect.get(target, name)
    },
  })
  return {
    compiled,
    break: () => {
      isBroken = true
    },
  }
}

const pressure = (value: number) =>
  ({ kind: 'reading', signal: 'systolic', value, gapMs: 0, delayMs: 0, group: 0, device: 0 }) as const
const toldBy = (evaluator: Evaluator) =>
  evaluator.takeTransitions().map(({ what, rule: of, why, error }) => [what, of, why ?? error])

test('rules > a rule that throws by a timer, or over what waited at a gate, rests for its subject; the others go on', () => {
  const hold = { forMs: 5 * minute, inARow: 1, withinMs: null }
  const held = compileRule({ ...(specs[0]!.compiled.body as ThresholdRule), hold })
  const bad = breakable(held)
  const evaluator = new Evaluator()
  evaluator.configure('s', [
    { ...specs[0]!, rule: 'bad', compiled: bad.compiled },
    { ...specs[0]!, rule: 'good', compiled: held },
  ])
  feed(evaluator, { storedAt: start, at: start, reading: pressure(185) }, 1)
  bad.break()
  evaluator.advance(start + 6 * minute)
  expect(toldBy(evaluator)).toEqual([
    ['rule-failed', 'bad', 'TypeError'],
    ['raised', 'good', undefined],
  ])
  const waiting = breakable(specs[0]!.compiled)
  const other = new Evaluator()
  other.configure('s', [{ ...specs[0]!, rule: 'bad', compiled: waiting.compiled }, specs[0]!])
  for (const at of [0, 1, 2, 3].map((n) => start + n * 1_000))
    feed(other, { storedAt: at, at, reading: pressure(120) }, 1)
  waiting.break()
  feed(other, { storedAt: start + 5_000, at: start + 5_000, reading: pressure(190) }, 2)
  expect(toldBy(other)).toEqual([
    ['rule-failed', 'bad', 'TypeError'],
    ['raised', 'severe', undefined],
  ])
})

test('rules > what a rule had raised does not stand for ever when it throws: it is told that nobody watches it', () => {
  const bad = breakable(specs[0]!.compiled)
  const evaluator = new Evaluator()
  evaluator.configure('s', [{ ...specs[0]!, rule: 'bad', compiled: bad.compiled }])
  feed(evaluator, { storedAt: start, at: start, reading: pressure(185) }, 1)
  bad.break()
  feed(evaluator, { storedAt: start + 1_000, at: start + 1_000, reading: pressure(186) }, 2)
  expect(toldBy(evaluator)).toEqual([
    ['raised', 'bad', undefined],
    ['cleared', 'bad', 'no-longer-watched'],
    ['rule-failed', 'bad', 'TypeError'],
  ])
})

test('rules > readings outside the enrolment and subjects without rules are not looked at', () => {
  const evaluator = new Evaluator()
  evaluator.configure('s', [{ ...specs[0]!, from: start + minute, to: start + 2 * minute }])
  const reading = {
    kind: 'reading',
    signal: 'systolic',
    value: 185,
    gapMs: 0,
    delayMs: 0,
    group: 0,
    device: 0,
  } as const
  for (const at of [start, start + 2 * minute]) feed(evaluator, { storedAt: at, at, reading }, 1)
  expect(evaluator.takeTransitions()).toEqual([])
  evaluator.configure('s', [])
  feed(evaluator, { storedAt: start + minute, at: start + minute, reading }, 2)
  expect(evaluator.takeTransitions()).toEqual([])
})

test('rules > a new version of a rule keeps an active alert active until its own clear condition', () => {
  const evaluator = new Evaluator()
  evaluator.configure('s', [specs[0]!])
  const at = (offset: number, value: number): Delivery => ({
    storedAt: start + offset,
    at: start + offset,
    reading: { kind: 'reading', signal: 'systolic', value, gapMs: 0, delayMs: 0, group: 0, device: 0 },
  })
  feed(evaluator, at(0, 185), 1)
  const stricter = rule({ when: { mode: 'any', limits: [limit('systolic', '>=', 160)] } })
  evaluator.configure('s', [{ ...specs[0]!, version: 2, compiled: stricter }])
  feed(evaluator, at(minute, 170), 2)
  feed(evaluator, at(2 * minute, 150), 3)
  expect(evaluator.takeTransitions().map(({ what, version }) => [what, version])).toEqual([
    ['raised', 1],
    ['cleared', 2],
  ])
})

const repeated = { fromMs: minute, toMs: 5 * minute } as const
const crisis = rule({ confirm: repeated })

test.each<[string, CompiledRule, number | null]>([
  ['its owner or time limit', rule({ confirm: repeated }), 5],
  ['a limit that it breaches too', rule({ confirm: repeated, when: onlySystolic(170) }), 5],
  ['a longer wait for the repeat', rule({ confirm: { fromMs: minute, toMs: 8 * minute } }), 8],
  ['a limit that it does not breach', rule({ confirm: repeated, when: onlySystolic(190) }), null],
])('rules > a crisis that waits for its repeat outlives an edit of its rule: %s', (_, after, dueMin) => {
  const evaluator = new Evaluator()
  evaluator.configure('s', [{ ...specs[0]!, compiled: crisis }])
  const reading = {
    kind: 'reading',
    signal: 'systolic',
    value: 185,
    gapMs: 0,
    delayMs: 0,
    group: 0,
    device: 0,
  } as const
  feed(evaluator, { storedAt: start, at: start, reading }, 1)
  evaluator.configure('s', [{ ...specs[0]!, version: 2, compiled: after }])
  evaluator.advance(start + 60 * minute)
  const told = evaluator
    .takeTransitions()
    .map(({ what, version, at, breach }) => [what, version, at, breach?.points.length])
  expect(told).toEqual(dueMin === null ? [] : [['raised', 2, start + dueMin * minute, 1]])
})

test('rules > a hold that runs outlives another limit, from the first measurement that breaches it', () => {
  const evaluator = new Evaluator()
  const held = (value: number, version: number): SubjectRule => {
    const when = { mode: 'any', limits: [limit('temperature-probe', '>', value)] } as const
    const hold = { forMs: 15 * minute, inARow: 1, withinMs: null }
    return { ...specs[2]!, version, compiled: rule({ when, hold, per: 'device' }) }
  }
  evaluator.configure('s', [held(8, 1)])
  for (const [at, value] of [
    [0, 8.5],
    [5, 9.5],
    [10, 9.6],
  ] as const) {
    const now = start + at * minute
    hear(evaluator, value, [now, now, now])
  }
  evaluator.configure('s', [held(9, 2)])
  evaluator.advance(start + 60 * minute)
  const told = evaluator.takeTransitions()
  expect(told).toMatchObject([
    { what: 'raised', version: 2, at: start + 20 * minute, breach: { since: start + 5 * minute } },
  ])
})

test('rules > told again at a time after an edit, an alert still shows the measurements that raised it', () => {
  const evaluator = new Evaluator()
  evaluator.configure('s', [specs[1]!])
  for (let i = 0; i < 3; i++) {
    const at = start + i * minute
    const reading = {
      kind: 'reading',
      signal: 'systolic',
      value: 185,
      gapMs: 0,
      delayMs: 0,
      group: 0,
      device: 0,
    } as const
    feed(evaluator, { storedAt: at, at, reading }, i + 1)
  }
  evaluator.handled('inARow', 's', '', 'closed', { until: 'time', at: start + 10 * minute }, start + 3 * minute)
  evaluator.configure('s', [{ ...specs[1]!, version: 2, compiled: rule({ when: onlySystolic(170) }) }])
  evaluator.advance(start + 11 * minute)
  const told = evaluator.takeTransitions().map(({ what, again, breach }) => [what, again, breach?.points.length])
  expect(told).toEqual([
    ['raised', undefined, 3],
    ['raised', 'time', 3],
  ])
})

/** One probe reading: measured and heard by clocks of their own, stored by the log's. */
function hear(evaluator: Evaluator, value: number, [at, receivedAt, storedAt]: readonly number[], extra = {}): void {
  const logged = { signal: 'temperature-probe', value, measuredAt: at!, ordinal: 0 }
  const source = { partition: 0, position: 1, index: 0, device: 'd', receivedAt: receivedAt!, storedAt: storedAt! }
  evaluator.readings('s', [logged], { ...source, ...extra })
  evaluator.advance(storedAt!)
}
const probeRule = (code: string) => specs.filter((spec) => spec.rule === code)
const hour = 60 * minute

test('rules > a log time that is held ahead of the clock makes no live reading late', () => {
  const evaluator = new Evaluator()
  evaluator.configure('s', probeRule('slowToClear'))
  hear(evaluator, 5, [start, start, start + hour])
  hear(evaluator, 9, [start + minute, start + minute, start + hour])
  expect(evaluator.takeTransitions()).toMatchObject([{ what: 'raised', historic: false }])
})

test.each([
  ['log time steps back too', 0],
  ['log time is held', hour],
])('rules > a clock that was an hour ahead for long and is put right: the next breach is live (%s)', (_, held) => {
  for (const ahead of [30, 3]) {
    const evaluator = new Evaluator()
    evaluator.configure('s', probeRule('slowToClear'))
    // For a short time ahead nothing is folded away yet, but the log then says so by itself.
    if (ahead === 3 && held > 0) continue
    for (let i = 0; i < ahead; i++) {
      const wrong = start + hour + i * minute
      hear(evaluator, 5, [wrong, wrong, wrong])
    }
    const now = start + ahead * minute
    hear(evaluator, 9, [now, now, now + held])
    hear(evaluator, 9, [now + minute, now + minute, now + minute + held])
    expect(evaluator.takeTransitions()).toMatchObject([{ what: 'raised', historic: false, at: now }])
    hear(evaluator, 5, [now + 2 * minute, now + 2 * minute, now + 2 * minute + held])
    hear(evaluator, 5, [now + 6 * minute, now + 6 * minute, now + 6 * minute + held])
    expect(evaluator.takeTransitions()).toMatchObject([{ what: 'cleared', historic: false }])
  }
})

test('rules > what a clock that was ahead raised stays raised, and clears once', () => {
  const evaluator = new Evaluator()
  evaluator.configure('s', probeRule('slowToClear'))
  const wrong = start + hour
  hear(evaluator, 9, [wrong, wrong, wrong])
  expect(evaluator.takeTransitions()).toMatchObject([{ what: 'raised' }])
  for (let i = 1; i <= 5; i++) hear(evaluator, 5, [start + i * minute, start + i * minute, start + i * minute])
  expect(evaluator.takeTransitions().map(({ what }) => what)).toEqual(['cleared'])
})

test('rules > a hold that began while the clock was ahead ends by time after it was put right', () => {
  const evaluator = new Evaluator()
  evaluator.configure('s', probeRule('held'))
  const wrong = start + 6 * hour
  hear(evaluator, 9, [wrong, wrong, wrong])
  evaluator.advance(start + minute)
  evaluator.advance(start + 5 * minute)
  expect(evaluator.takeTransitions()).toEqual([])
  evaluator.advance(start + 7 * minute)
  expect(evaluator.takeTransitions()).toMatchObject([{ what: 'raised', historic: false, at: start + 6 * minute }])
})

test('rules > what an operator brings in again is late by when it is stored', () => {
  const evaluator = new Evaluator()
  evaluator.configure('s', probeRule('slowToClear'))
  hear(evaluator, 9, [start, start, start + hour], { replayed: true })
  expect(evaluator.takeTransitions()).toMatchObject([{ what: 'raised', historic: true }])
})

test('rules > what nobody watches any more does not stay raised: the rule goes, or the enrolment ends now or later', () => {
  const cleared = { what: 'cleared', rule: 'slowToClear', why: 'no-longer-watched', historic: false }
  const raised = () => {
    const evaluator = new Evaluator()
    evaluator.configure('s', probeRule('slowToClear'))
    hear(evaluator, 9, [start, start, start])
    expect(evaluator.takeTransitions()).toMatchObject([{ what: 'raised' }])
    return evaluator
  }
  const gone = raised()
  gone.configure('s', [])
  expect(gone.takeTransitions()).toMatchObject([cleared])
  for (const to of [start + 1, start + hour]) {
    const ended = raised()
    ended.configure('s', [{ ...probeRule('slowToClear')[0]!, to }])
    ended.advance(to)
    expect(ended.takeTransitions()).toEqual([])
    ended.advance(to + 1)
    ended.advance(to + 2)
    expect(ended.takeTransitions()).toMatchObject([{ ...cleared, at: to }])
  }
})
