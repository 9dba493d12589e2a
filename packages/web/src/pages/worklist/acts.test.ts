import { describe, expect, it } from 'vitest'
import { type Around, isTakenOver, snoozeChoices, wasTheirs, whyNot } from './acts.ts'
import { aRow } from './testing/a-row.ts'

const now = 10_000_000
const around: Around = { me: 'me', mayAct: true, isConnected: true, now }
const row = (over = {}) => aRow('t', now, { dueAt: now + 3_600_000, ...over })
const mine = { status: 'claimed', claimedBy: { id: 'me', name: 'Me' }, handling: 'acknowledged' } as const
const taken = { status: 'claimed', claimedBy: { id: 'mate', name: 'Mate' }, handling: 'acknowledged' } as const

describe('what may be done with a task', () => {
  it('offers claim and complete on what nobody has, and says why it cannot be put off yet', () => {
    const why = whyNot(row(), around)
    expect([why.claim, why.acknowledge, why.complete, why.handOff]).toEqual([null, null, null, null])
    expect(why.snooze).toBe('Claim it first: only what is yours can be put off.')
    expect(why.release).toBe('Nobody has it: there is nothing to give back.')
  })

  it('offers to acknowledge one’s own again only after it came back', () => {
    expect(whyNot(row(mine), around).acknowledge).toBe('You have acknowledged it.')
    expect(whyNot(row({ ...mine, handling: 'new' }), around).acknowledge).toBeNull()
  })

  it('takes an acknowledgement back only where it also claimed: what was one’s own before stays it', () => {
    const after = row(mine)
    expect(wasTheirs(row({ ...mine, handling: 'new' }), after)).toBe(true)
    expect([wasTheirs(row(), after), wasTheirs(row(taken), after)]).toEqual([false, false])
  })

  it('never puts off high priority, nor beyond the due time', () => {
    expect(whyNot(row({ ...mine, priority: 'high' }), around).snooze).toMatch(/^High priority/)
    expect(whyNot(row({ ...mine, dueAt: now + 60_000 }), around).snooze).toMatch(/^Too little/)
    expect(whyNot(row(mine), around).snooze).toBeNull()
    expect(snoozeChoices(now + 3_600_000, now)).toEqual([5, 15, 30])
  })

  it('says who has it, and lets it be taken over once overdue', () => {
    expect(whyNot(row(taken), around).claim).toBe('Mate has this.')
    const late = row({ ...taken, dueAt: now - 1 })
    expect([isTakenOver(late, around), whyNot(late, around).claim, whyNot(late, around).complete]).toEqual([
      true,
      null,
      'Mate has this.',
    ])
  })

  it('does nothing without right, without connection, or when it is over', () => {
    expect(whyNot(row(), { ...around, mayAct: false }).claim).toMatch(/^Your role/)
    expect(whyNot(row(), { ...around, isConnected: false }).complete).toMatch(/^Not connected/)
    expect(whyNot(row({ status: 'completed' }), around).claim).toBe('It is completed.')
    expect(isTakenOver(row({ ...taken, dueAt: now - 1 }), { ...around, isConnected: false })).toBe(false)
  })
})
