import { describe, expect, it } from 'vitest'
import { after, begin, clockText, type Happening, type Meter, type Sent, shownMs } from './meter.ts'

const s = 1_000
const min = 60 * s
const review = { kind: 'data-review', contact: 'none' } as const
const call = { kind: 'patient-contact', contact: 'live-phone' } as const

/** Runs what happens, with ids b, c, ...; @returns the meter and what was sent as `id from-to`, in seconds, `.` = ended */
function run(...events: (Omit<Happening, 'id'> & { what?: typeof call })[]): { meter: Meter; sent: string[] } {
  let meter = begin(review, 'a', 0)
  const sent: string[] = []
  const ids = [...'bcdefgh']
  for (const event of events) {
    const [next, send] = after(meter, { id: ids[sent.length] ?? 'z', ...event } as Happening)
    meter = next
    if (send !== null) sent.push(textOf(send))
  }
  return { meter, sent }
}
const textOf = ({ id, from, to, ended, kind }: Sent) => `${id} ${from / s}-${to / s}${ended ? '.' : ''} ${kind}`

describe('the time for a patient', () => {
  it('counts from opening to leaving, and tells each heartbeat how far it is sure', () => {
    const { sent } = run(
      { is: 'sign', at: 18 * s },
      { is: 'heartbeat', at: 20 * s },
      { is: 'sign', at: 59 * s },
      { is: 'left', at: 60 * s },
    )
    expect(sent).toEqual(['a 0-18 data-review', 'a 0-60. data-review'])
  })

  it('ends at the last sign when nobody is there for two minutes, and goes on as a new entry', () => {
    const { meter, sent } = run(
      { is: 'sign', at: 30 * s },
      { is: 'tick', at: 149 * s },
      { is: 'tick', at: 150 * s },
      { is: 'sign', at: 10 * min },
      { is: 'left', at: 11 * min },
    )
    expect(sent).toEqual(['a 0-30. data-review', 'c 600-660. data-review'])
    expect(shownMs(meter, 20 * min)).toBe(90 * s)
  })

  it('stops while the page is hidden, but not during a call', () => {
    expect(run({ is: 'hidden', at: 30 * s }).sent).toEqual(['a 0-30. data-review'])
    const { meter, sent } = run(
      { is: 'told', at: 10 * s, what: call },
      { is: 'hidden', at: 20 * s },
      { is: 'heartbeat', at: 5 * min },
    )
    expect(sent).toEqual(['a 0-10. data-review', 'b 10-300 patient-contact'])
    expect(meter.is).toBe('running')
  })

  it('asks after half an hour of a call without a sign, and counts none of it', () => {
    const { meter, sent } = run({ is: 'told', at: 10 * s, what: call }, { is: 'tick', at: 10 * s + 30 * min })
    expect([meter.is, sent]).toEqual(['paused', ['a 0-10. data-review']])
  })

  it('stays stopped by hand until it is started by hand', () => {
    const { meter } = run({ is: 'paused', at: 30 * s }, { is: 'sign', at: 40 * s }, { is: 'shown', at: 50 * s })
    expect(meter.is).toBe('paused')
    expect(run({ is: 'paused', at: 30 * s }, { is: 'resumed', at: 40 * s }).meter.is).toBe('running')
  })

  it('discards a stretch: told of before it ends with no length, else nothing is sent', () => {
    expect(run({ is: 'heartbeat', at: 20 * s }, { is: 'discarded', at: 30 * s }).sent.at(-1)).toBe('a 0-0. data-review')
    const { meter, sent } = run({ is: 'sign', at: 15 * s }, { is: 'discarded', at: 15 * s }, { is: 'sign', at: 20 * s })
    expect([sent, shownMs(meter, min), meter.is]).toEqual([[], 0, 'paused'])
  })

  it('takes a glance for no work', () => {
    expect(run({ is: 'left', at: 4 * s }).sent).toEqual([])
  })

  it('shows minutes and seconds', () => {
    expect([clockText(0), clockText(192 * s), clockText(3_792 * s)]).toEqual(['0:00', '3:12', '1:03:12'])
  })
})
