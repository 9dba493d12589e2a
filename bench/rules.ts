/**
 * How many readings a second one thread judges, with 3 rules for each series: the evaluator alone, on log entries as the platform
 * hands them over. Besides `no rules` the same loop over the same entries runs, which is what cannot be saved.
 * Readings are made before the clock is started, in stretches of 10 s of log time; the lanes are filled with 16 minutes before.
 * @example npm run bench:rules -- --subjects 1000 --seconds 120 --runs 5 --every 1
 */
import type { LoggedReading } from '@careloop/contract'
import { compileRule, Evaluator, opposite, type RuleBody, type Source } from '@careloop/rules'
import { option, report } from './support/report.ts'

const subjects = option('subjects', 1_000)
/** Seconds of log time that are measured in one run. */
const seconds = option('seconds', 120)
const runs = option('runs', 5)
/** Seconds between two messages of one device. */
const every = option('every', 1)
const minute = 60_000
const start = Date.UTC(2026, 2, 2, 8)

// ---------------------------------------------------------------- rules

type Limit = { signal: string; is: '>' | '<'; limit: number }
const when = (limit: Limit) => ({ mode: 'any', limits: [limit] }) as const
const clearOf = (limit: Limit, by: number) => {
  const clear = opposite(when(limit))
  const limits = clear.limits.map((each) => ({ ...each, limit: each.limit + (limit.is === '>' ? -by : by) }))
  return { when: { ...clear, limits }, forMs: 0, inARow: 1 }
}
const held = (limit: Limit, hysteresis: number): RuleBody => ({
  ...{ kind: 'threshold', when: when(limit), match: 'measurement', per: 'subject' },
  ...{ hold: { forMs: 15_000, inARow: 1, withinMs: null }, validForMs: minute, clear: clearOf(limit, hysteresis) },
})
const inARow = (limit: Limit): RuleBody => ({
  ...{ kind: 'threshold', when: when(limit), match: 'measurement', per: 'subject' },
  ...{ hold: { forMs: 0, inARow: 3, withinMs: 10 * minute }, validForMs: minute, clear: clearOf(limit, 0) },
})

const change: RuleBody = {
  ...{ kind: 'rate', signal: 'heart-rate', change: 'rise', by: 85, withinMs: 10 * minute, per: 'subject' },
  clear: { when: null, forMs: 0, inARow: 1 },
}

/**
 * Three rules for each of three signals: a held and a counted threshold each, and a third that is another held one, a count and an
 * absence; with `--changes 1` a change takes the place of the first third, which looks at every value and costs the most.
 */
const bodies: RuleBody[] = [
  held({ signal: 'heart-rate', is: '>', limit: 120 }, 5),
  inARow({ signal: 'heart-rate', is: '<', limit: 45 }),
  option('changes', 0) > 0 ? change : held({ signal: 'heart-rate', is: '>', limit: 130 }, 5),
  held({ signal: 'spo2', is: '<', limit: 90 }, 1),
  inARow({ signal: 'spo2', is: '<', limit: 85 }),
  {
    ...{ kind: 'count', when: when({ signal: 'spo2', is: '<', limit: 88 }), match: 'measurement', per: 'subject' },
    ...{
      atLeast: 5,
      withinMs: 60 * minute,
      validForMs: minute,
      clear: clearOf({ signal: 'spo2', is: '<', limit: 88 }, 0),
    },
  },
  held({ signal: 'temperature-probe', is: '>', limit: 8 }, 0.5),
  inARow({ signal: 'temperature-probe', is: '<', limit: 2 }),
  { kind: 'absence', of: ['temperature-probe'], afterMs: 30 * minute, per: 'device' },
]
const compiled = bodies.map(compileRule)

// ---------------------------------------------------------------- the stream

interface Entry {
  readonly subject: string
  readonly readings: readonly LoggedReading[]
  readonly source: Source
}

/** Mulberry32: the same stream in every run. */
function random(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296
  }
}

const next = random(7)
const one = (decimals: number, value: number) => Number(value.toFixed(decimals))
const names = Array.from({ length: subjects }, (_, of) => ({ subject: `subject-${of}`, device: `device-${of}` }))

/** A message of each subject each `every` seconds, from a log time on; 1 % beyond a limit, 2 % late by up to 5 minutes. */
function stretch(from: number, lengthMs: number): Entry[] {
  const messages = Math.round((subjects * lengthMs) / 1_000 / every)
  return Array.from({ length: messages }, (_, i) => {
    const { subject, device } = names[i % subjects]!
    const storedAt = from + Math.floor((i / messages) * lengthMs)
    const measuredAt = storedAt - 200 - (next() < 0.02 ? Math.floor(next() * 5 * minute) : 0)
    const isBad = next() < 0.01
    const values: [string, number][] = [
      ['heart-rate', one(0, isBad ? 122 + next() * (next() < 0.05 ? 60 : 20) : 62 + next() * 25)],
      ['spo2', one(0, isBad ? 82 + next() * 7 : 94 + next() * 5)],
      ['temperature-probe', one(1, isBad ? 8.2 + next() : 4 + next() * 2)],
    ]
    const readings = values.map(([signal, value]) => ({ signal, value, measuredAt, ordinal: 0 }))
    const source = { partition: 0, position: 1 + Math.floor(i / 100), index: i % 100, device }
    return { subject, readings, source: { ...source, receivedAt: storedAt - 50, storedAt } }
  })
}

// ---------------------------------------------------------------- runs

function configured(withRules: boolean): Evaluator {
  const evaluator = new Evaluator()
  evaluator.advance(start - 1_000)
  if (!withRules) return evaluator
  for (let of = 0; of < subjects; of++) {
    const specs = compiled.map((rule, index) => ({
      ...{ rule: `rule-${index}`, version: 1, enrolment: 'e', from: 0, to: null, compiled: rule },
    }))
    const device = { device: `device-${of}`, gateway: null, since: 0, intervalMs: 1_000 }
    evaluator.configure(`subject-${of}`, specs, [device])
  }
  evaluator.takeChanged()
  return evaluator
}

/** Commits of 100 messages, as a busy log has them; what follows is taken after each, and changed subjects with each stretch. */
function feed(evaluator: Evaluator, entries: readonly Entry[]): number {
  let told = 0
  for (let i = 0; i < entries.length; i += 100) {
    const end = Math.min(i + 100, entries.length)
    for (let at = i; at < end; at++) {
      const { subject, readings, source } = entries[at]!
      evaluator.readings(subject, readings, source)
    }
    evaluator.advance(entries[end - 1]!.source.storedAt)
    told += evaluator.takeTransitions().length
  }
  evaluator.takeChanged()
  return told
}

interface Spent {
  wallMs: number
  cpuMs: number
  readings: number
  told: number
}

const cpuMs = () => {
  const { user, system } = process.threadCpuUsage()
  return (user + system) / 1_000
}

function measure(evaluator: Evaluator, entries: readonly Entry[], spent: Spent): void {
  const [wall, cpu] = [performance.now(), cpuMs()]
  spent.told += feed(evaluator, entries)
  spent.wallMs += performance.now() - wall
  spent.cpuMs += cpuMs() - cpu
  spent.readings += entries.length * 3
}

/** Both evaluators hear the same stretches in turn, so that a busy neighbour slows both. */
function oneRun(): { rules: Spent; none: Spent } {
  const [rules, none] = [configured(true), configured(false)]
  const spent = () => ({ wallMs: 0, cpuMs: 0, readings: 0, told: 0 })
  const result = { rules: spent(), none: spent() }
  const stretchMs = 10_000 * every
  const warmUntil = start + 16 * minute * Math.max(1, every / 10)
  for (let at = start; at < warmUntil + seconds * 1_000 * every; at += stretchMs) {
    const entries = stretch(at, stretchMs)
    if (at < warmUntil) feed(rules, entries)
    else {
      measure(rules, entries, result.rules)
      measure(none, entries, result.none)
    }
  }
  return result
}

const median = (values: readonly number[]) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)]!

const results = Array.from({ length: runs }, oneRun)
const perSecond = (of: 'rules' | 'none', by: 'wallMs' | 'cpuMs') =>
  results.map((result) => (result[of].readings / result[of][by]) * 1_000)
const row = (what: string, of: 'rules' | 'none') => {
  const wall = perSecond(of, 'wallMs')
  return {
    ...{ what, 'readings/s (median)': Math.round(median(wall)), slowest: Math.round(Math.min(...wall)) },
    ...{ fastest: Math.round(Math.max(...wall)), 'per CPU second': Math.round(median(perSecond(of, 'cpuMs'))) },
  }
}
report(
  'bench:rules',
  [
    row(option('changes', 0) > 0 ? '3 rules a series, a third of one a change' : '3 rules a series', 'rules'),
    row('no rules', 'none'),
  ],
  {
    readingsPerSecond: Math.round(median(perSecond('rules', 'wallMs'))),
    readingsPerCpuSecond: Math.round(median(perSecond('rules', 'cpuMs'))),
    withoutRulesPerSecond: Math.round(median(perSecond('none', 'wallMs'))),
    ...{ runs, subjects, every, readings: results[0]!.rules.readings, transitions: results[0]!.rules.told },
  },
)
