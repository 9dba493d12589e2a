import { describe, expect, test } from 'vitest'
import { covered, type Piece, pieceKey, planLog, readPieceKey } from './wal-pieces.ts'
import { printLsn, readHistory, readLsn, readSegmentName, segmentName } from './wal-position.ts'

const MIB16 = 16 * 1024 ** 2
const piece = (number: bigint, from: number, to: number, session = 1, timeline = 1): Piece => {
  const segment = { timeline, number }
  return { key: pieceKey(segment, { session, from, to }, MIB16), segment, session, from, to }
}
const full = (number: bigint, timeline = 1) => piece(number, 0, MIB16, 1, timeline)
const at = (number: bigint, offset = 0) => number * BigInt(MIB16) + BigInt(offset)
const own = { timeline: 1, ancestors: [] }

describe('places in the log', () => {
  test.each(['0/0', '0/16B3748', '2A/1F000148', 'FFFFFFFF/FFFFFFFF'])('%s is read and printed', (text) => {
    expect(printLsn(readLsn(text))).toBe(text)
  })

  test.each([16, 1, 1024])('segments of %i MiB are named as PostgreSQL names them', (mib) => {
    const bytes = mib * 1024 ** 2
    const segment = { timeline: 3, number: readLsn('2A/40000000') / BigInt(bytes) }
    expect(readSegmentName(segmentName(segment, bytes), bytes)).toEqual(segment)
    if (mib === 16) expect(segmentName(segment, bytes)).toBe('000000030000002A00000040')
  })

  test('what is no segment is none', () => {
    for (const name of ['00000002.history', 'archive_status', '000000010000000000000001.partial'])
      expect(readSegmentName(name, MIB16)).toBeUndefined()
  })

  test('a history tells where timelines were left', () => {
    expect(readHistory('1\t0/5006468\tno recovery target specified\n\n2\t0/9000000\tbefore 2026\n')).toEqual([
      { timeline: 1, until: readLsn('0/5006468') },
      { timeline: 2, until: readLsn('0/9000000') },
    ])
  })
})

describe('pieces of the log', () => {
  test('their key says which they are', () => {
    const one = piece(42n, 4096, 8192, 7)
    expect(readPieceKey(one.key, MIB16)).toEqual(one)
    expect(readPieceKey('wal/readme', MIB16)).toBeUndefined()
  })

  test('cover a segment only as far as there is no hole', () => {
    expect(covered([piece(1n, 0, 100), piece(1n, 100, 200), piece(1n, 300, 400)])).toBe(200)
    expect(covered([piece(1n, 100, 200)])).toBe(0)
    expect(covered([piece(1n, 50, 300, 2), piece(1n, 0, 100)])).toBe(300)
  })

  test('a plan goes on to the first hole, and not beyond', () => {
    const whole = planLog([full(5n), full(6n), piece(7n, 0, 500)], at(5n, 40), own, MIB16)
    expect(whole.end).toBe(at(7n, 500))
    expect(whole.segments.map(({ bytes }) => bytes)).toEqual([MIB16, MIB16, 500])
    expect(planLog([full(5n), full(7n)], at(5n), own, MIB16).end).toBe(at(6n))
    expect(planLog([], at(5n), own, MIB16)).toEqual({ segments: [], end: at(5n) })
  })

  test('a plan follows the timeline that came out of another, and leaves what that one wrote later', () => {
    const line = { timeline: 2, ancestors: [{ timeline: 1, until: at(6n, 1000) }] }
    const pieces = [full(5n), full(6n), full(7n), full(6n, 2), piece(7n, 0, 300, 1, 2)]
    const plan = planLog(pieces, at(5n), line, MIB16)
    expect(plan.segments.map(({ segment }) => [segment.timeline, segment.number])).toEqual([
      [1, 5n],
      [2, 6n],
      [2, 7n],
    ])
    expect(plan.end).toBe(at(7n, 300))
    // In the segment in which it was left the ancestor's counts while the other has none there.
    expect(planLog([full(5n), full(6n), full(7n)], at(5n), line, MIB16).end).toBe(at(7n))
  })
})
