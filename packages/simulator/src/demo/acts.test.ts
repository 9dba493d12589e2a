/** What the demo's devices say around its start, and that its promises rest on it: the moments are those of docs/demo.md. */
import { expect, it } from 'vitest'
import { tellings, type Utterance } from '../devices/virtual-device.ts'
import { DAY, HOUR, MINUTE, SECOND } from '../signals/day-rhythm.ts'
import { actsOf } from './acts.ts'

const starts = [Date.UTC(2026, 10, 22, 3, 14, 7), Date.UTC(2027, 5, 1, 12), Date.UTC(2028, 1, 29, 23, 59, 59)]
const saying = (start: number, device: string, from: number, to: number, toldUntil = {}): Utterance[] =>
  tellings(actsOf(start, 0, toldUntil).find((act) => act.device.name === device)!.device, start + from, start + to)
const values = (said: readonly Utterance[], key: string) =>
  said.flatMap((each) =>
    each.what === 'measurement' && key in each.values ? [[each.at, each.values[key]] as const] : [],
  )

it.each(starts)(
  'demo > the crisis is told within 15 s of the start, with its repeat two minutes apart (start %d)',
  (start) => {
    const pressures = values(saying(start, 'cuff-crisis', 0, 15 * SECOND), 'systolic')
    expect(pressures.map(([, systolic]) => systolic)).toEqual([190, 190])
    expect(pressures[1]![0] - pressures[0]![0]).toBe(2 * MINUTE)
    const history = values(saying(start, 'cuff-crisis', -14 * DAY, 0), 'systolic')
    expect(history.length).toBeGreaterThan(20)
    expect(Math.max(...history.map(([, systolic]) => Number(systolic)))).toBeLessThan(180)
  },
)

it.each(starts)(
  'demo > a door is left open three minutes before the first minute is over, a battery crosses 20 %% (start %d)',
  (start) => {
    const open = values(saying(start, 'fridge-2-probe', -10 * MINUTE, MINUTE), 'door-open').filter(
      ([at, is]) => is === 1 && at > start - 3 * MINUTE,
    )
    expect(open[0]![0]).toBeLessThan(start - 2 * MINUTE)
    const battery = values(saying(start, 'fridge-4-probe', -10 * MINUTE, MINUTE), 'battery-level')
    const low = battery.find(([, percent]) => Number(percent) <= 20)!
    expect(low[0]).toBeGreaterThan(start)
    expect(low[0]).toBeLessThan(start + 45 * SECOND)
    expect(saying(start, 'fridge-4-probe', 8 * MINUTE, 20 * MINUTE)).toEqual([])
  },
)

it.each(starts)(
  'demo > a gateway that was away for three hours tells all of it within the minute, and nothing twice (start %d)',
  (start) => {
    expect(saying(start, 'fridge-3-probe', -2 * HOUR, 0)).toEqual([])
    const back = values(saying(start, 'fridge-3-probe', 0, MINUTE), 'temperature-probe')
    expect(back[0]![0]).toBeLessThan(start - 2.9 * HOUR)
    expect(Math.max(...back.map(([, probe]) => Number(probe)))).toBeGreaterThan(8)
    expect(new Set(back.map(([at]) => at)).size).toBe(back.length)
    const again = values(
      saying(start, 'fridge-3-probe', 0, MINUTE, { 'fridge-3-probe': start - HOUR }),
      'temperature-probe',
    )
    expect(again[0]![0]).toBeGreaterThanOrEqual(start - HOUR)
  },
)

it.each(starts)(
  'demo > a day of a refrigerator is told in hundreds of messages, without a door that was looked at now and then (start %d)',
  (start) => {
    const day = saying(start, 'fridge-2-probe', -DAY, -10 * MINUTE)
    expect(day.length).toBeGreaterThan(250)
    expect(day.length).toBeLessThan(320)
    expect(values(day, 'door-open')).toEqual([])
  },
)
