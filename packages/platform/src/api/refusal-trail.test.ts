import { describe, expect, it } from 'vitest'
import { makeManualClock } from '../engine/clock/manual-clock.ts'
import { makeWatch } from '../engine/index.ts'
import { makeRefusalTrail, type Refusal } from './refusal-trail.ts'

const one: Refusal = { tenant: 't', actor: 'staff:a', id: 'GET:/x', requestId: 'r1' }

function ground() {
  const clock = makeManualClock()
  const written: (Refusal & { times: number })[] = []
  const state = { isDown: false }
  const trail = makeRefusalTrail({ clock, watch: makeWatch({ level: 'silent' }) }, async (refusal) => {
    if (state.isDown) throw new Error('down')
    written.push(refusal)
  })
  return { clock, written, trail, state, times: () => written.map(({ actor, times }) => [actor, times]) }
}

describe('refusals in the trail', () => {
  it('are written at once the first time, and the same again within a minute as one entry with its number', async () => {
    const { clock, trail, times, written } = ground()
    for (let i = 0; i < 1_000; i++) await trail.note({ ...one, requestId: `r${i}` })
    await trail.note({ ...one, actor: 'staff:b' })
    expect(times()).toEqual([
      ['staff:a', 1],
      ['staff:b', 1],
    ])
    await clock.advance(60_000)
    expect(times().slice(2)).toEqual([['staff:a', 999]])
    expect(written[2]).toMatchObject({ id: 'GET:/x', requestId: 'r0' })
    await trail.note(one)
    expect(times().slice(3)).toEqual([['staff:a', 1]])
  })

  it('of others, of other routes and of other organisations are never counted together', async () => {
    const { trail, times } = ground()
    for (const change of [{}, { actor: 'staff:b' }, { id: 'GET:/y' }, { tenant: 'u' }])
      await trail.note({ ...one, ...change })
    expect(times()).toHaveLength(4)
  })

  it('are written with their number when the server closes', async () => {
    const { trail, times } = ground()
    for (let i = 0; i < 3; i++) await trail.note(one)
    await trail.close()
    expect(times()).toEqual([
      ['staff:a', 1],
      ['staff:a', 2],
    ])
  })

  it('that cannot be written are told to the asker as that, and a number is kept until it can', async () => {
    const { clock, trail, state, times } = ground()
    state.isDown = true
    await expect(trail.note(one)).rejects.toThrow('down')
    state.isDown = false
    for (let i = 0; i < 5; i++) await trail.note(one)
    state.isDown = true
    await clock.advance(60_000)
    expect(times()).toEqual([['staff:a', 1]])
    state.isDown = false
    await clock.advance(60_000)
    expect(times()).toEqual([
      ['staff:a', 1],
      ['staff:a', 4],
    ])
  })
})
