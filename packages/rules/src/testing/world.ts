/** A random world for property tests: two subjects, two devices, two gateways, two doors, one rule of each kind, and all that may happen. */
import fc from 'fast-check'
import { type CompiledRule, compileRule } from '../compiled.ts'
import { Evaluator } from '../evaluator.ts'
import type { Rearm } from '../handling.ts'
import type { WatchedDevice } from '../hearing.ts'
import { applyOverride } from '../override.ts'
import { type Limit, opposite, type RuleBody, type ThresholdRule } from '../rule.ts'
import { loadState, saveState } from '../state.ts'
import type { SubjectRule } from '../track.ts'
import type { Transition } from '../transition.ts'

export const minute = 60_000
export const start = Date.parse('2026-03-02T08:00:00Z')

const limit = (signal: string, is: Limit['is'], value: number): Limit => ({ signal, is, limit: value })
const severe = { mode: 'any', limits: [limit('systolic', '>=', 180), limit('diastolic', '>=', 120)] } as const
const warm = { mode: 'any', limits: [limit('temperature-probe', '>', 8)] } as const
const clearOf = (when: ThresholdRule['when']) => ({ when: opposite(when), forMs: 0, inARow: 1 })
const atOnce = { forMs: 0, inARow: 1, withinMs: null }
const threshold = (body: Partial<ThresholdRule> & Pick<ThresholdRule, 'when'>): ThresholdRule => ({
  ...{ kind: 'threshold', match: 'measurement', hold: atOnce, validForMs: 30 * minute, per: 'subject' },
  ...{ clear: clearOf(body.when), ...body },
})

export const bodies: Readonly<Record<string, RuleBody>> = {
  plain: threshold({ when: severe, worseBy: [10, 10] }),
  repeated: threshold({ when: severe, confirm: { fromMs: minute, toMs: 5 * minute } }),
  row: threshold({ when: severe, hold: { forMs: 0, inARow: 3, withinMs: 60 * minute } }),
  held: threshold({ when: warm, per: 'device', hold: { forMs: 5 * minute, inARow: 1, withinMs: null }, worseBy: [1] }),
  latest: threshold({
    when: { mode: 'all', limits: [...severe.limits.slice(0, 1), ...warm.limits] },
    match: 'latest',
  }),
  counted: {
    ...{ kind: 'count', when: severe, match: 'measurement', atLeast: 3, withinMs: 40 * minute, validForMs: 0 },
    ...{ clear: clearOf(severe), per: 'subject', worseBy: [10, 10] },
  },
  rising: {
    ...{ kind: 'rate', signal: 'temperature-probe', change: 'rise', by: 3, withinMs: 10 * minute, per: 'device' },
    ...{ clear: { when: null, forMs: 0, inARow: 1 }, unlessHeard: { signal: 'door-open', withinMs: 5 * minute } },
  },
  falling: {
    ...{
      kind: 'rate',
      signal: 'systolic',
      change: 'fall',
      by: 50,
      withinMs: 30 * minute,
      per: 'subject',
      worseBy: [10],
    },
    clear: { when: { mode: 'any', limits: [limit('systolic', '>', 150)] }, forMs: 0, inARow: 2 },
  },
  silent: { kind: 'absence', of: ['temperature-probe'], afterMs: 12 * minute, per: 'device' },
  nobody: { kind: 'absence', of: ['systolic', 'diastolic'], afterMs: 25 * minute, per: 'subject' },
  gone: { kind: 'absence', of: 'connection', afterMs: 10 * minute, per: 'device' },
}
const codes = Object.keys(bodies)

/** Version 2 of each rule, and an override of each: other numbers. */
export function compiledOf(code: string, version: number, override: string | null): CompiledRule {
  const body = bodies[code]!
  const part = { threshold: 'when', count: 'count', rate: 'by', absence: 'after' }[body.kind] as 'when'
  const now = body.kind === 'threshold' ? body.when.limits[0]!.limit + 1 : body.kind === 'absence' ? 20 * minute : 4
  const before = body.kind === 'absence' && version === 2 ? { ...body, afterMs: body.afterMs + 5 * minute } : body
  return compileRule(override === null ? before : applyOverride(before, [{ part, index: 0, limit: now }]))
}

// ---------------------------------------------------------------- what may happen

/** `deaf`: nothing ran until then; else the log ticks meanwhile. */
export type Happening = { readonly gapMs: number; readonly deaf: boolean; readonly subject: number } & (
  | {
      readonly kind: 'reading'
      readonly signal: string
      readonly value: number
      readonly delayMs: number
      readonly group: number
      readonly device: number
    }
  | { readonly kind: 'tick' | 'back' }
  | { readonly kind: 'door'; readonly process: string; readonly up: boolean }
  | { readonly kind: 'connection'; readonly device: string; readonly connected: boolean }
  | {
      readonly kind: 'handled'
      readonly rule: string
      readonly device: number
      readonly closed: boolean
      readonly until: number
    }
  | {
      readonly kind: 'config'
      readonly without: number
      readonly version: number
      readonly override: boolean
      readonly devices: number
    }
)

const values = {
  systolic: [100, 130, 185, 190, 220],
  diastolic: [70, 121, 140],
  'temperature-probe': [5, 6.5, 8.4, 9, 12],
  'door-open': [0, 1],
} as const

const signals = [...(Object.keys(values) as (keyof typeof values)[]), 'both'] as const

export function happening(maxDelayMs: number, only?: readonly Happening['kind'][]): fc.Arbitrary<Happening> {
  const common = {
    gapMs: fc.oneof(fc.integer({ min: 0, max: 50_000 }), fc.integer({ min: 0, max: 8 * minute })),
    subject: fc.nat(1),
    deaf: fc.nat(19).map((of) => of === 0),
  }
  const reading = fc
    .record({
      ...common,
      signal: fc.constantFrom(...signals),
      pick: fc.nat(4),
      delayMs: fc.oneof({ weight: 3, arbitrary: fc.constant(0) }, { weight: 1, arbitrary: fc.nat(maxDelayMs) }),
      group: fc.nat(2),
      device: fc.nat(1),
    })
    .map(
      ({ pick, ...rest }): Happening => ({
        kind: 'reading',
        ...rest,
        value: valueAt(rest.signal, pick),
      }),
    )
  const all: { weight: number; kind: Happening['kind']; arbitrary: fc.Arbitrary<Happening> }[] = [
    { weight: 30, kind: 'reading', arbitrary: reading },
    { weight: 5, kind: 'tick', arbitrary: fc.record({ ...common, kind: fc.constant('tick' as const) }) },
    { weight: 1, kind: 'back', arbitrary: fc.record({ ...common, kind: fc.constant('back' as const) }) },
    {
      weight: 2,
      kind: 'door',
      arbitrary: fc.record({
        ...common,
        kind: fc.constant('door' as const),
        process: fc.constantFrom('p0', 'p1'),
        up: fc.boolean(),
      }),
    },
    {
      weight: 4,
      kind: 'connection',
      arbitrary: fc.record({
        ...common,
        kind: fc.constant('connection' as const),
        device: fc.constantFrom('g0', 'g1', 's0d0', 's0d1', 's1d0'),
        connected: fc.boolean(),
      }),
    },
    {
      weight: 4,
      kind: 'handled',
      arbitrary: fc.record({
        ...common,
        kind: fc.constant('handled' as const),
        rule: fc.constantFrom(...codes),
        device: fc.nat(1),
        closed: fc.boolean(),
        until: fc.nat(3),
      }),
    },
    {
      weight: 2,
      kind: 'config',
      arbitrary: fc.record({
        ...common,
        kind: fc.constant('config' as const),
        without: fc.nat(codes.length),
        version: fc.integer({ min: 1, max: 2 }),
        override: fc.boolean(),
        devices: fc.nat(3),
      }),
    },
  ]
  return fc.oneof(...all.filter(({ kind }) => only === undefined || only.includes(kind)))
}

/** What happens at a log time: readings may be told later than they are measured. */
export interface Delivery {
  readonly storedAt: number
  readonly at: number
  readonly happening: Happening
}

export function deliver(happenings: readonly Happening[]): Delivery[] {
  let at = start
  const deliveries = happenings.map((each): Delivery => {
    at += each.gapMs
    return { at, storedAt: at + (each.kind === 'reading' ? each.delayMs : 0), happening: each }
  })
  return deliveries.sort((a, b) => a.storedAt - b.storedAt)
}

// ---------------------------------------------------------------- playing

const tickMs = 40_000

const valueAt = (signal: (typeof signals)[number], pick: number): number => {
  const known = values[signal === 'both' ? 'systolic' : signal]
  return known[pick % known.length]!
}

const deviceOf = (subject: number, device: number) => `s${subject}d${device}`

function devicesOf(subject: number, choice: number): readonly WatchedDevice[] {
  const one: WatchedDevice = { device: deviceOf(subject, 0), gateway: 'g0', since: start, intervalMs: 2 * minute }
  const two: WatchedDevice = { device: deviceOf(subject, 1), gateway: 'g1', since: start, intervalMs: null }
  const gateway: WatchedDevice = { device: 'g1', gateway: null, since: start, intervalMs: null }
  return [[one, two], [one], [two, gateway], []][choice]!
}

const specsOf = (without: number, version: number, override: boolean): SubjectRule[] =>
  codes.flatMap((rule, index) => {
    if (index === without) return []
    // Every other rule keeps its version and its limits.
    const [at, of] = index % 2 === 0 ? [version, override ? 'o' : null] : [1, null]
    const compiled = compiledOf(rule, at, of)
    return { rule, version: at, enrolment: 'e', from: 0, to: null, compiled, ...(of === null ? {} : { override: of }) }
  })

export function newWorld(): Evaluator {
  const evaluator = new Evaluator()
  evaluator.advance(start)
  for (const subject of [0, 1]) evaluator.configure(`s${subject}`, specsOf(-1, 1, false), devicesOf(subject, 0))
  return evaluator
}

export function feed(evaluator: Evaluator, { at, storedAt, happening: each }: Delivery, position: number): void {
  if (!each.deaf) for (let tick = evaluator.now + tickMs; tick < storedAt; tick += tickMs) evaluator.advance(tick)
  const subject = `s${each.subject}`
  switch (each.kind) {
    case 'reading': {
      const { signal, value, group } = each
      const device = deviceOf(each.subject, each.device)
      const grouped = group === 0 ? {} : { groupId: `${group}-${at}` }
      const source = { partition: 0, position, index: 0, device, receivedAt: storedAt, storedAt }
      // `both`: a whole measurement, so that what a systolic raised can clear.
      const pairs =
        signal === 'both' ? ({ systolic: value, diastolic: value > 150 ? 121 : 70 } as const) : { [signal]: value }
      const readings = Object.entries(pairs).map(([of, is]) => ({
        signal: of,
        value: is,
        measuredAt: at,
        ordinal: 0,
        ...grouped,
      }))
      evaluator.readings(subject, readings, source)
      break
    }
    case 'door':
      evaluator.door(each.process, each.up, storedAt)
      break
    case 'connection':
      evaluator.connection(each.device, each.connected, storedAt)
      break
    case 'handled': {
      const focus = bodies[each.rule]!.per === 'device' ? deviceOf(each.subject, each.device) : ''
      const until: readonly (Rearm | null)[] = [
        null,
        { until: 'cleared' },
        { until: 'worse' },
        { until: 'time', at: storedAt + 7 * minute },
      ]
      evaluator.handled(
        each.rule,
        subject,
        focus,
        each.closed ? 'closed' : 'acknowledged',
        until[each.until]!,
        storedAt,
      )
      break
    }
    case 'config':
      evaluator.configure(
        subject,
        specsOf(each.without, each.version, each.override),
        devicesOf(each.subject, each.devices),
      )
  }
  evaluator.advance(each.kind === 'back' ? storedAt - 5 * minute : storedAt)
}

/** What a restart makes of it: all state through JSON into an empty evaluator. */
export function restarted(evaluator: Evaluator): Evaluator {
  const next = new Evaluator()
  for (const subject of evaluator.subjects()) {
    const saved = json(saveState(evaluator.state(subject)!, evaluator.devices(subject)))
    const { rules, devices } = loadState(saved, compiledOf, subject)!
    next.restore(subject, rules, devices)
  }
  next.restoreHearing(json(evaluator.hearing()))
  next.advance(evaluator.now)
  return next
}

export function run(deliveries: readonly Delivery[], restartAt: (index: number) => boolean = () => false) {
  let evaluator = newWorld()
  const told: Transition[] = []
  deliveries.forEach((delivery, index) => {
    feed(evaluator, delivery, index + 1)
    told.push(...evaluator.takeTransitions())
    if (restartAt(index)) evaluator = restarted(evaluator)
  })
  return { told, evaluator }
}

export const stateOf = (evaluator: Evaluator) => ({
  hearing: json(evaluator.hearing()),
  subjects: evaluator
    .subjects()
    .toSorted()
    .map((subject) => json(saveState(evaluator.state(subject)!, evaluator.devices(subject)))),
})

export const json = <T>(value: T): T => JSON.parse(JSON.stringify(value)) as T
