import { expect, test } from 'vitest'
import { compileRule } from './compiled.ts'
import { Evaluator } from './evaluator.ts'
import type { WatchedDevice } from './hearing.ts'
import type { AbsenceRule } from './rule.ts'
import { loadState, saveState } from './state.ts'
import type { SubjectRule } from './track.ts'

const second = 1_000
const minute = 60_000
const hour = 60 * minute
const start = Date.parse('2026-03-02T08:00:00Z')

const silent: AbsenceRule = { kind: 'absence', of: ['temperature-probe'], afterMs: 30 * minute, per: 'device' }
const nobody: AbsenceRule = { kind: 'absence', of: ['systolic'], afterMs: hour, per: 'subject' }

const spec = (rule: string, body: AbsenceRule, change: Partial<SubjectRule> = {}): SubjectRule => ({
  ...{ rule, version: 1, enrolment: 'e', from: 0, to: null, compiled: compileRule(body), ...change },
})
const worn = (device: string, change: Partial<WatchedDevice> = {}): WatchedDevice => ({
  ...{ device, gateway: null, since: start, intervalMs: 5 * minute, ...change },
})

function open(devices: readonly WatchedDevice[], body = silent): Evaluator {
  const evaluator = new Evaluator()
  evaluator.advance(start)
  evaluator.configure('s', [spec('silent', body)], devices)
  return evaluator
}

function hear(
  evaluator: Evaluator,
  device: string,
  at: number,
  extra: { storedAt?: number; signal?: string; subject?: string } = {},
) {
  const { storedAt = at, signal = 'temperature-probe', subject = 's' } = extra
  const source = { partition: 0, position: 1, index: 0, device, receivedAt: storedAt, storedAt }
  evaluator.readings(subject, [{ signal, value: 5, measuredAt: at, ordinal: 0 }], source)
}

/** A running server ticks. */
function until(evaluator: Evaluator, at: number, everyMs = 30 * second): void {
  for (let now = evaluator.now + everyMs; now < at; now += everyMs) evaluator.advance(now)
  evaluator.advance(at)
}

const told = (evaluator: Evaluator) =>
  evaluator.takeTransitions().map(({ what, focus, at }) => [what, focus, at - start])

test('absence > a server that was down for two hours with 500 devices raises none when it is back, then only those that stay silent', () => {
  const evaluator = new Evaluator()
  evaluator.advance(start)
  const subjects = Array.from({ length: 500 }, (_, n) => `s${n}`)
  for (const subject of subjects) evaluator.configure(subject, [spec('silent', silent)], [worn(`${subject}-d`)])
  for (const subject of subjects) hear(evaluator, `${subject}-d`, start, { subject })
  until(evaluator, start + 20 * minute)
  // The first thing heard after it is a reading, before any tick.
  const back = start + 20 * minute + 2 * hour
  hear(evaluator, 's0-d', back, { subject: 's0' })
  evaluator.advance(back)
  expect(evaluator.takeTransitions()).toEqual([])
  until(evaluator, back + 10 * minute)
  expect(evaluator.takeTransitions()).toEqual([])
  for (const subject of subjects.slice(0, 499)) hear(evaluator, `${subject}-d`, evaluator.now, { subject })
  until(evaluator, back + 11 * minute)
  expect(evaluator.takeTransitions()).toMatchObject([{ what: 'raised', subject: 's499', focus: 's499-d' }])
})

test('absence > a connection that comes and goes puts it off by at most the rule’s own span of listening', () => {
  const evaluator = open([worn('d', { gateway: 'g', intervalMs: 10 * minute })])
  hear(evaluator, 'd', start)
  let now = start
  // Up for a minute, down for a minute: every return gives a grace of 20 minutes.
  for (let round = 0; round < 120; round++) {
    now += minute
    evaluator.connection('g', false, now)
    evaluator.advance(now)
    now += minute
    until(evaluator, now)
    evaluator.connection('g', true, now)
    evaluator.advance(now)
  }
  const raised = told(evaluator)
  expect(raised).toMatchObject([['raised', 'd', expect.any(Number)]])
  // Half of the time it could be heard, and it may be told a round later.
  expect(raised[0]![2]).toBeLessThanOrEqual(2 * 2 * 30 * minute + 2 * minute)
})

test('absence > who measures other things only is waited for no longer, also while all is well with what it measures', () => {
  const evaluator = new Evaluator()
  evaluator.advance(start)
  evaluator.configure('s', [spec('silent', silent), spec('nobody', nobody)], [worn('cuff'), worn('scale')])
  for (let now = start; now <= start + hour; now += minute) {
    for (const device of ['cuff', 'scale']) hear(evaluator, device, now, { signal: 'systolic' })
    evaluator.advance(now)
  }
  expect(told(evaluator)).toEqual([])
})

const behind = (gatewayRules: readonly SubjectRule[]) => {
  const evaluator = open([worn('d', { gateway: 'g' })])
  evaluator.configure('box', gatewayRules, [worn('g')])
  hear(evaluator, 'd', start)
  until(evaluator, start + 10 * minute)
  evaluator.connection('g', false, start + 10 * minute)
  return evaluator
}

test('absence > behind a gateway of which nobody is told the clock stands for a day and not for ever', () => {
  const evaluator = behind([])
  until(evaluator, start + 24 * hour)
  expect(told(evaluator)).toEqual([])
  until(evaluator, start + 25 * hour, minute)
  expect(told(evaluator)).toEqual([['raised', 'd', 24 * hour + 30 * minute]])
  hear(evaluator, 'd', start + 26 * hour)
  expect(told(evaluator)).toEqual([['cleared', 'd', 26 * hour]])
})

const gone = spec('gone', { kind: 'absence', of: 'connection', afterMs: 10 * minute, per: 'device' })

test('absence > behind a gateway that is told of by itself the clock stands for a day more, and at once no longer when nobody is told of it any more', () => {
  const [told_, ended] = [behind([gone]), behind([gone])]
  for (const evaluator of [told_, ended]) {
    until(evaluator, start + 24 * hour, minute)
    expect(told(evaluator)).toEqual([['raised', 'g', 20 * minute]])
  }
  until(told_, start + 72 * hour, minute)
  expect(told(told_)).toEqual([['raised', 'd', 24 * hour + 30 * minute]])
  ended.configure('box', [], [worn('g')])
  until(ended, start + 72 * hour, minute)
  expect(told(ended).map(([what, focus]) => [what, focus])).toEqual([
    ['cleared', 'g'],
    ['raised', 'd'],
  ])
})

test('absence > a gateway whose alert was closed until it clears and that never comes back holds its probes for a day after that, not for ever', () => {
  const evaluator = behind([gone])
  until(evaluator, start + 20 * hour, minute)
  expect(told(evaluator)).toEqual([['raised', 'g', 20 * minute]])
  evaluator.handled('gone', 'box', 'g', 'acknowledged', null, start + 20 * hour)
  until(evaluator, start + 40 * hour, minute)
  evaluator.handled('gone', 'box', 'g', 'closed', { until: 'cleared' }, start + 40 * hour)
  // Nothing of it is forgotten when a process ends.
  const taken = new Evaluator()
  taken.restoreHearing(evaluator.hearing())
  for (const subject of evaluator.subjects()) {
    const saved = JSON.parse(JSON.stringify(saveState(evaluator.state(subject)!, evaluator.devices(subject))))
    const { rules, devices } = loadState(
      saved,
      (rule) => compileRule(rule === 'gone' ? gone.compiled.body : silent),
      subject,
    )!
    taken.restore(subject, rules, devices)
  }
  taken.advance(start + 40 * hour)
  until(taken, start + 64 * hour, minute)
  expect(told(taken)).toEqual([])
  until(taken, start + 200 * hour, minute)
  expect(told(taken)).toEqual([['raised', 'd', 64 * hour]])
  hear(taken, 'd', start + 201 * hour)
  expect(told(taken)).toEqual([['cleared', 'd', 201 * hour]])
})

test('absence > days in which nobody listened at all are not held against what is behind a gateway', () => {
  const evaluator = behind([])
  const back = start + 72 * hour
  evaluator.advance(back)
  evaluator.connection('g', true, back + minute)
  until(evaluator, back + 10 * minute)
  expect(told(evaluator)).toEqual([])
  until(evaluator, back + hour)
  expect(told(evaluator)).toHaveLength(1)
})

test('absence > a device heard by another way while its own gateway is gone is raised when it falls silent', () => {
  const evaluator = open([worn('d', { gateway: 'g' })])
  evaluator.connection('g', false, start)
  until(evaluator, start + 10 * minute)
  hear(evaluator, 'd', start + 10 * minute)
  until(evaluator, start + hour)
  expect(told(evaluator)).toEqual([['raised', 'd', 40 * minute]])
})

test('absence > of a subject the clock stands with the gateway of the device that measured last', () => {
  const devices = [worn('cuff', { gateway: 'home' }), worn('scale')]
  const [cut, scale] = [open(devices, nobody), open(devices, nobody)]
  hear(cut, 'cuff', start, { signal: 'systolic' })
  hear(scale, 'scale', start, { signal: 'systolic' })
  for (const evaluator of [cut, scale]) {
    evaluator.connection('home', false, start + minute)
    until(evaluator, start + 2 * hour)
  }
  expect(told(cut)).toEqual([])
  expect(told(scale)).toEqual([['raised', '', hour]])
})

test('absence > a rule activated later does not raise for the time before it was known', () => {
  const evaluator = open([worn('d', { since: start - 10 * hour })])
  until(evaluator, start + 29 * minute)
  expect(told(evaluator)).toEqual([])
  until(evaluator, start + 31 * minute)
  expect(told(evaluator)).toEqual([['raised', 'd', 30 * minute]])
})

test('absence > configured before any log time is known, the clock starts with the first', () => {
  const evaluator = new Evaluator()
  evaluator.configure('s', [spec('silent', silent)], [worn('d', { since: 0 })])
  evaluator.advance(start)
  until(evaluator, start + 31 * minute)
  expect(told(evaluator)).toEqual([['raised', 'd', 30 * minute]])
})

test('absence > another limit for the subject counts from what was heard, and a raised one stays raised until it is heard', () => {
  const shorter = { override: 'o', compiled: compileRule({ ...silent, afterMs: 10 * minute }) }
  const quiet = open([worn('d')])
  hear(quiet, 'd', start)
  until(quiet, start + 5 * minute)
  quiet.configure('s', [spec('silent', silent, shorter)])
  until(quiet, start + 11 * minute)
  expect(told(quiet)).toEqual([['raised', 'd', 10 * minute]])
  quiet.configure('s', [spec('silent', silent)])
  until(quiet, start + 20 * minute)
  expect(told(quiet)).toEqual([])
  hear(quiet, 'd', start + 20 * minute)
  expect(told(quiet)).toEqual([['cleared', 'd', 20 * minute]])
})

test('absence > a value that cannot be is no sign of life of the signal', () => {
  const evaluator = open([worn('d')])
  hear(evaluator, 'd', start)
  until(evaluator, start + 20 * minute)
  const source = {
    partition: 0,
    position: 1,
    index: 0,
    device: 'd',
    receivedAt: evaluator.now,
    storedAt: evaluator.now,
  }
  const broken = { signal: 'temperature-probe', measuredAt: evaluator.now, ordinal: 0 } as const
  evaluator.readings('s', [{ ...broken, value: { absent: 'unsuccessful' } }], source)
  evaluator.readings('s', [{ ...broken, value: 400, flags: ['implausible'] }], source)
  until(evaluator, start + 31 * minute)
  expect(told(evaluator)).toEqual([['raised', 'd', 30 * minute]])
})

test('absence > a clock that was an hour ahead and is put right neither raises at once nor waits for the hour to come again', () => {
  const evaluator = open([worn('d')])
  until(evaluator, start + hour, 20 * second)
  told(evaluator)
  hear(evaluator, 'd', start + hour)
  evaluator.advance(start + hour)
  evaluator.advance(start)
  told(evaluator)
  until(evaluator, start + 29 * minute)
  expect(told(evaluator)).toEqual([])
  until(evaluator, start + 31 * minute)
  expect(told(evaluator)).toEqual([['raised', 'd', 30 * minute]])
})

test('absence > the end of the enrolment ends it', () => {
  const evaluator = new Evaluator()
  evaluator.advance(start)
  evaluator.configure('s', [spec('silent', silent, { to: start + hour })], [worn('d')])
  until(evaluator, start + 2 * hour)
  expect(evaluator.takeTransitions()).toMatchObject([
    { what: 'raised' },
    { what: 'cleared', why: 'no-longer-watched', at: start + hour },
  ])
})

test('absence > who wears a device, or has a gateway, is known by it', () => {
  const evaluator = open([worn('d')])
  expect([evaluator.wearerOf('d'), evaluator.wearerOf('other')]).toEqual(['s', undefined])
  evaluator.configure('t', [spec('silent', silent)], [worn('d')])
  evaluator.configure('s', [spec('silent', silent)], [])
  expect(evaluator.wearerOf('d')).toBe('t')
})
