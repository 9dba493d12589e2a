/**
 * Plays a scripted timeline of one subject: readings and everything else that happens in, what the rules tell out. Between two
 * steps the log ticks as a running server does, every 30 s here; `gap: true` on a step says that until it nothing ran.
 */
import type { LoggedReading, ReadingFlag } from '@careloop/contract'
import { z } from 'zod'
import { compileRule } from '../../compiled.ts'
import { Evaluator } from '../../evaluator.ts'
import type { WatchedDevice } from '../../hearing.ts'
import { applyOverride, type LimitChange } from '../../override.ts'
import type { SubjectRule } from '../../track.ts'
import type { Transition } from '../../transition.ts'
import type { Program, ProgramRule } from '../program.ts'
import { parseDuration } from '../words.ts'

/** `10:02`, `10:02:30`, and `3d 10:02` three days later. */
const Clock = z.string().regex(/^(\d+d )?\d\d:\d\d(:\d\d)?$/)
const Change = z.strictObject({
  part: z.enum(['when', 'clear', 'after', 'by', 'count']),
  index: z.number().default(0),
  limit: z.number(),
})
const Device = z.strictObject({
  device: z.string(),
  gateway: z.string().optional(),
  every: z.string().optional(),
  measures: z.array(z.string()).optional(),
})
const at = { at: Clock, gap: z.boolean().default(false) }
const Step = z.union([
  z.strictObject({ tick: Clock, gap: z.boolean().default(false) }),
  z.strictObject({
    ...at,
    stored: Clock.optional(),
    device: z.string().default('probe'),
    group: z.string().optional(),
    readings: z.record(z.string(), z.number()),
    flags: z.array(z.enum(['implausible', 'clock-unset'])).optional(),
  }),
  z.strictObject({ ...at, door: z.enum(['up', 'down']), process: z.string().default('door') }),
  z.strictObject({ ...at, connected: z.string() }),
  z.strictObject({ ...at, disconnected: z.string() }),
  z.strictObject({
    ...at,
    handled: z.enum(['acknowledged', 'closed']),
    rule: z.string(),
    focus: z.string().default(''),
    /** `cleared`, `worse`, or a time. */
    until: z.union([z.enum(['cleared', 'worse']), Clock]).optional(),
  }),
  /** Limits of this subject alone. */
  z.strictObject({ ...at, override: z.string(), changes: z.array(Change) }),
  /** The program's rule itself is changed: a new version. */
  z.strictObject({ ...at, new_version: z.string(), changes: z.array(Change) }),
  z.strictObject({ ...at, devices: z.array(Device) }),
])
export const Want = z.strictObject({
  at: Clock,
  raised: z.string().optional(),
  cleared: z.string().optional(),
  focus: z.string().optional(),
  historic: z.boolean().default(false),
  again: z.enum(['worse', 'time']).optional(),
  why: z.literal('no-longer-watched').optional(),
  sentence: z.string().optional(),
})
export const Timeline = z.strictObject({
  name: z.string(),
  devices: z.array(Device).optional(),
  steps: z.array(Step).min(1),
  want: z.array(Want),
})
type Step = z.infer<typeof Step>
type Device = z.infer<typeof Device>
type ReadingStep = Extract<Step, { readings: unknown }>

/** Of 2026-03-02, UTC. */
export function timeOf(clock: string): number {
  const [, days = '0d', time] = /^(?:(\d+d) )?(.*)$/.exec(clock)!
  return Date.parse(`2026-03-02T${time!.length === 5 ? `${time}:00` : time}Z`) + Number.parseInt(days, 10) * 86_400_000
}

const tickMs = 30_000
const subject = 'subject'
const logTimeOf = (step: Step): number =>
  timeOf('tick' in step ? step.tick : 'stored' in step ? (step.stored ?? step.at) : step.at)

export function play(program: Program, { steps, devices }: z.infer<typeof Timeline>): readonly Transition[] {
  const evaluator = new Evaluator()
  const rules = new Map(program.rules.map((rule) => [rule.code, specOf(rule)]))
  const start = logTimeOf(steps[0]!)
  evaluator.advance(start)
  evaluator.configure(
    subject,
    [...rules.values()],
    devices?.map((device) => watched(device, start)),
  )
  steps.forEach((step, index) => {
    const now = logTimeOf(step)
    if (!step.gap) for (let tick = evaluator.now + tickMs; tick < now; tick += tickMs) evaluator.advance(tick)
    if (!('readings' in step)) evaluator.advance(now)
    happen(evaluator, rules, step, now, index + 1)
    evaluator.advance(now)
  })
  return evaluator.takeTransitions()
}

function happen(
  evaluator: Evaluator,
  rules: Map<string, SubjectRule>,
  step: Step,
  now: number,
  position: number,
): void {
  if ('readings' in step) {
    const { device } = step
    const source = { partition: 0, position, index: 0, device, receivedAt: now, storedAt: now }
    evaluator.readings(subject, readingsOf(step), source)
  } else if ('door' in step) evaluator.door(step.process, step.door === 'up', now)
  else if ('connected' in step) evaluator.connection(step.connected, true, now)
  else if ('disconnected' in step) evaluator.connection(step.disconnected, false, now)
  else if ('handled' in step) evaluator.handled(step.rule, subject, step.focus, step.handled, rearmOf(step.until), now)
  else if ('devices' in step)
    evaluator.configure(
      subject,
      [...rules.values()],
      step.devices.map((device) => watched(device, now)),
    )
  else if ('override' in step) configure(evaluator, rules, step.override, step.changes, { override: `o${position}` })
  else if ('new_version' in step) configure(evaluator, rules, step.new_version, step.changes, { version: position + 1 })
}

function configure(
  evaluator: Evaluator,
  rules: Map<string, SubjectRule>,
  code: string,
  changes: readonly LimitChange[],
  as: Partial<SubjectRule>,
): void {
  const spec = rules.get(code)!
  rules.set(code, { ...spec, ...as, compiled: compileRule(applyOverride(spec.compiled.body, changes)) })
  evaluator.configure(subject, [...rules.values()])
}

const specOf = (rule: ProgramRule): SubjectRule => ({
  ...{ rule: rule.code, version: 1, enrolment: 'enrolment', from: 0, to: null, compiled: compileRule(rule.body) },
})

function watched({ device, gateway, every, measures }: Device, since: number): WatchedDevice {
  const intervalMs = every === undefined ? null : Number(parseDuration(every))
  const signals = measures === undefined ? {} : { signals: measures }
  return { device, gateway: gateway ?? null, since, intervalMs, ...signals }
}

function rearmOf(until: string | undefined) {
  if (until === undefined) return null
  if (until === 'cleared' || until === 'worse') return { until } as const
  return { until: 'time', at: timeOf(until) } as const
}

const readingsOf = (step: ReadingStep): LoggedReading[] =>
  Object.entries(step.readings).map(([signal, value]) => ({
    signal,
    value,
    measuredAt: timeOf(step.at),
    ordinal: 0,
    ...(step.group === undefined ? {} : { groupId: step.group }),
    ...(step.flags === undefined ? {} : { flags: step.flags as ReadingFlag[] }),
  }))
