import { describe, expect, it, vi } from 'vitest'
import { mayRepeat, meaningOf } from './key-sequence.ts'

const goDevices = vi.fn()
const complete = vi.fn()
const shell = { 'g d': goDevices, '?': vi.fn() }
const page = { d: complete, c: undefined }
const layers = [page, shell]

describe('keys', () => {
  it('lets g then d go to a page and d alone complete, never both', () => {
    expect(meaningOf(undefined, 'd', layers).act).toBe(complete)
    expect(meaningOf(undefined, 'g', layers)).toEqual({ pending: 'g', isOurs: true })
    expect(meaningOf('g', 'd', layers).act).toBe(goDevices)
  })

  it('swallows the second key of a pair that is none, so that it does not act by itself', () => {
    const pressed = meaningOf('g', 'c', [{ c: complete }, shell])
    expect([pressed.act, pressed.isOurs]).toEqual([undefined, true])
  })

  it('leaves keys alone that mean nothing here, and those that are switched off now', () => {
    expect(meaningOf(undefined, 'q', layers).isOurs).toBe(false)
    expect(meaningOf(undefined, 'c', layers).isOurs).toBe(false)
  })

  it('lets what was opened last have a key first', () => {
    const inner = vi.fn()
    expect(meaningOf(undefined, 'd', [{ d: inner }, page]).act).toBe(inner)
  })

  it('repeats moving and never acting while a key is held', () => {
    expect(['j', 'k', 'c', 'd', 'a', 'u'].filter(mayRepeat)).toEqual(['j', 'k'])
  })
})
