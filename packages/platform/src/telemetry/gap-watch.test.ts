import { expect, it } from 'vitest'
import { type GapChange, GapWatch } from './gap-watch.ts'

const MIN = 60_000
const T0 = Date.UTC(2026, 0, 5, 8)

function watching(device = 'd') {
  const gaps = new GapWatch()
  const interval = { intervalMs: MIN, isSet: true, usualMs: MIN, gapFromMs: null }
  gaps.watch({ series: 1, device, ...interval, newestMs: Number.NEGATIVE_INFINITY, heardMs: 0 })
  return gaps
}
const opened = (changes: readonly GapChange[]) => changes.flatMap((each) => (each.kind === 'opened' ? [each] : []))

it('telemetry gaps > a clock that was ahead and is put right neither stops the watch nor makes silence', () => {
  const gaps = watching()
  const ahead = T0 + 600 * MIN
  gaps.readings(1, [ahead], ahead)
  gaps.tick(ahead)
  gaps.tick(T0 + MIN)
  expect(opened(gaps.take())).toEqual([])
  gaps.tick(T0 + 10 * MIN)
  expect(opened(gaps.take())).toEqual([{ kind: 'opened', series: 1, fromMs: T0 + MIN, reason: 'no-data' }])
})

it('telemetry gaps > deafness that began in a future that was none ends when readings are heard', () => {
  const gaps = watching()
  gaps.doorDown('p1', T0 + 600 * MIN)
  gaps.readings(1, [T0], T0)
  expect(gaps.take().filter((each) => each.kind === 'deaf')).toMatchObject([{ toMs: null }, { toMs: T0 }])
})

it('telemetry gaps > when a door process dies its devices are offline, those of another and who came back are not', () => {
  for (const [process, again, reason] of [
    ['p1', false, 'offline'],
    ['p2', false, 'no-data'],
    ['p1', true, 'no-data'],
  ] as const) {
    const gaps = watching()
    gaps.doorUp('p1', T0, undefined)
    gaps.doorUp('p2', T0, undefined)
    gaps.readings(1, [T0], T0)
    gaps.connected('d', true, process)
    if (again) gaps.connected('d', true, 'p2')
    gaps.connected('d', true, again ? 'p2' : process)
    gaps.doorDown('p1', T0 + 1)
    if (again) gaps.connected('d', false, 'p1')
    gaps.tick(T0 + 10 * MIN)
    expect(opened(gaps.take())).toMatchObject([{ reason }])
  }
})
