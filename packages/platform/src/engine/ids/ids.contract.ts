import { describe, expect, it } from 'vitest'
import type { Clock, Ids } from '../ports.ts'

const UUID7 = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/

export function idsContract(name: string, make: (clock: Pick<Clock, 'now'>) => Ids): void {
  describe(`ids: ${name}`, () => {
    it('makes UUIDs of version 7 that carry the time', () => {
      const at = Date.UTC(2026, 2, 1, 12)
      const id = make({ now: () => at }).uuid()
      expect(id).toMatch(UUID7)
      expect(Number.parseInt(id.replaceAll('-', '').slice(0, 12), 16)).toBe(at)
    })

    it('sorts ids in the order they were made, within a millisecond and over a clock that steps back', () => {
      let at = Date.UTC(2026, 2, 1)
      const ids = make({ now: () => at })
      const made: string[] = []
      for (let i = 0; i < 20_000; i++) {
        if (i === 10_000) at -= 60_000
        made.push(ids.uuid())
      }
      expect(made).toEqual([...made].sort())
      expect(new Set(made).size).toBe(made.length)
    })

    it('makes tokens of 256 random bits that say what they are', () => {
      const ids = make({ now: () => 0 })
      const tokens = Array.from({ length: 100 }, () => ids.token('clt'))
      for (const token of tokens) {
        expect(token).toMatch(/^clt_[A-Za-z0-9_-]{43}$/)
        expect(Buffer.from(token.slice(4), 'base64url')).toHaveLength(32)
      }
      expect(new Set(tokens).size).toBe(100)
      expect(() => ids.token('clt_')).toThrow(/without the underscore/)
    })
  })
}
