/**
 * How the log lies in the store: a segment is made of pieces, `wal/<segment>/<session>-<from>-<to>`. A session begins each segment
 * that it touches from the start: after a crash the server may write the end of its log anew, and what was shipped before is then
 * no longer true. Later sessions are laid over earlier ones; what of an earlier one stands out behind is no continuation, and
 * PostgreSQL sees that (xl_prev, checksum) and ends its recovery there.
 */
import {
  type Branch,
  type Lsn,
  readSegmentName,
  type Segment,
  segmentAt,
  segmentName,
  startOf,
} from './wal-position.ts'

export interface Piece {
  readonly key: string
  readonly segment: Segment
  /** Of whoever shipped: each attachment of a shipper has the next number. */
  readonly session: number
  /** Bytes of the segment: from (inclusive) to (exclusive). */
  readonly from: number
  readonly to: number
}

const PREFIX = 'wal/'
const hex = (value: number): string => value.toString(16).padStart(8, '0')

export function pieceKey(
  segment: Segment,
  piece: Pick<Piece, 'session' | 'from' | 'to'>,
  segmentBytes: number,
): string {
  return `${PREFIX}${segmentName(segment, segmentBytes)}/${hex(piece.session)}-${hex(piece.from)}-${hex(piece.to)}`
}

/** @returns undefined for what is no piece */
export function readPieceKey(key: string, segmentBytes: number): Piece | undefined {
  const match = /^wal\/([0-9A-F]{24})\/([0-9a-f]{8})-([0-9a-f]{8})-([0-9a-f]{8})$/.exec(key)
  const segment = match && readSegmentName(match[1]!, segmentBytes)
  if (!segment) return undefined
  const [session, from, to] = match.slice(2).map((text) => Number.parseInt(text, 16))
  return { key, segment, session: session!, from: from!, to: to! }
}

/** In the order in which they are laid over each other. */
export const inOrder = (pieces: readonly Piece[]): Piece[] =>
  [...pieces].sort((a, b) => a.session - b.session || a.from - b.from || a.to - b.to)

/** @returns bytes covered without a hole from the start of the segment */
export function covered(pieces: readonly Piece[]): number {
  let end = 0
  for (const piece of [...pieces].sort((a, b) => a.from - b.from)) {
    if (piece.from > end) break
    end = Math.max(end, piece.to)
  }
  return end
}

export interface LogPlan {
  readonly segments: readonly { readonly segment: Segment; readonly pieces: readonly Piece[]; readonly bytes: number }[]
  /** Everything before it is there. */
  readonly end: Lsn
}

/** A timeline and where it came from. */
export interface Line {
  readonly timeline: number
  /** Its ancestors, oldest first. */
  readonly ancestors: readonly Branch[]
}

/**
 * What of the log follows a base copy without a hole, along one timeline and its ancestors.
 * @param from where the copy began
 */
export function planLog(pieces: readonly Piece[], from: Lsn, line: Line, segmentBytes: number): LogPlan {
  const bySegment = new Map<string, Piece[]>()
  for (const piece of pieces) {
    const name = segmentName(piece.segment, segmentBytes)
    bySegment.set(name, [...(bySegment.get(name) ?? []), piece])
  }
  const segments: LogPlan['segments'][number][] = []
  for (let number = segmentAt(from, segmentBytes); ; number++) {
    const found = [line.timeline, ...line.ancestors.map(({ timeline }) => timeline).reverse()]
      .filter((timeline) => isOf(timeline, number, line, segmentBytes))
      .map((timeline) => ({ timeline, number }))
      .map((segment) => ({ segment, pieces: bySegment.get(segmentName(segment, segmentBytes)) ?? [] }))
      .find((each) => each.pieces.length > 0)
    const bytes = found ? covered(found.pieces) : 0
    if (found && bytes > 0) segments.push({ ...found, bytes })
    if (bytes < segmentBytes) return { segments, end: startOf(number, segmentBytes) + BigInt(bytes) }
  }
}

/** An ancestor's segments count up to the one in which it was left; the descendant's begin there. */
function isOf(timeline: number, number: bigint, line: Line, segmentBytes: number): boolean {
  const branch = line.ancestors.find((each) => each.timeline === timeline)
  return branch === undefined || startOf(number, segmentBytes) < branch.until
}
