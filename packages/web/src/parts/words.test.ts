import { describe, expect, it } from 'vitest'
import { agoText, bytesText, countText, momentText, spanText } from './words.ts'

const min = 60_000
const h = 60 * min

describe('words on the pages', () => {
  it('says spans in at most two units and never rounds up: 59 s is not a minute', () => {
    const said = [0, 59_999, min, 59 * min, h, 3 * h + 20 * min, 11 * h, 24 * h, 52 * h, 240 * h].map(spanText)
    expect(said).toEqual(['0 s', '59 s', '1 min', '59 min', '1 h', '3 h 20 min', '11 h', '1 d', '2 d 4 h', '10 d'])
  })

  it('says just now for what came this moment, also from a clock slightly ahead', () => {
    expect(agoText(1_000_000, 1_000_000 + 4_999)).toBe('just now')
    expect(agoText(1_000_000, 999_000)).toBe('just now')
    expect(agoText(0, 14 * min)).toBe('14 min ago')
  })

  it('names the day of a time that was not today', () => {
    const now = new Date(2026, 2, 3, 12, 0).getTime()
    expect(momentText(new Date(2026, 2, 3, 10, 2).getTime(), now)).toBe('10:02')
    expect(momentText(new Date(2026, 2, 2, 10, 2).getTime(), now)).toBe('2 Mar 10:02')
    expect(momentText(new Date(2025, 2, 2, 10, 2).getTime(), now)).toBe('2 Mar 2025 10:02')
  })

  it('counts in the right number', () => {
    expect([countText(1, 'reading'), countText(3, 'reading'), bytesText(1), bytesText(12_340)]).toEqual([
      '1 reading',
      '3 readings',
      '1 byte',
      '12.3 kB',
    ])
  })
})
