/** Places in the write-ahead log and the names of its files. Source: src/include/access/xlog_internal.h (XLogFileName). */

/** Byte position in the log, as PostgreSQL's `pg_lsn`. */
export type Lsn = bigint

/** A segment: which timeline, and its number from the beginning of the log. */
export interface Segment {
  readonly timeline: number
  readonly number: bigint
}

const FILE = 2n ** 32n

/** @param text as PostgreSQL says it: `2A/1F000148` */
export function readLsn(text: string): Lsn {
  const match = /^([0-9A-F]{1,8})\/([0-9A-F]{1,8})$/i.exec(text)
  if (!match) throw new TypeError('a place in the log is written as two hexadecimal numbers: 2A/1F000148')
  return BigInt(`0x${match[1]}`) * FILE + BigInt(`0x${match[2]}`)
}

export const printLsn = (lsn: Lsn): string =>
  `${(lsn / FILE).toString(16).toUpperCase()}/${(lsn % FILE).toString(16).toUpperCase()}`

export const segmentAt = (lsn: Lsn, segmentBytes: number): bigint => lsn / BigInt(segmentBytes)
export const startOf = (number: bigint, segmentBytes: number): Lsn => number * BigInt(segmentBytes)
export const offsetIn = (lsn: Lsn, segmentBytes: number): number => Number(lsn % BigInt(segmentBytes))

const hex8 = (value: bigint | number): string => value.toString(16).toUpperCase().padStart(8, '0')

/** File name below pg_wal: 24 hexadecimal digits. */
export function segmentName({ timeline, number }: Segment, segmentBytes: number): string {
  const each = FILE / BigInt(segmentBytes)
  return `${hex8(timeline)}${hex8(number / each)}${hex8(number % each)}`
}

/** @returns undefined for what is no segment: history files, partial ones, folders */
export function readSegmentName(name: string, segmentBytes: number): Segment | undefined {
  if (!/^[0-9A-F]{24}$/.test(name)) return undefined
  const [timeline, file, rest] = [name.slice(0, 8), name.slice(8, 16), name.slice(16)].map((hex) => BigInt(`0x${hex}`))
  return { timeline: Number(timeline!), number: file! * (FILE / BigInt(segmentBytes)) + rest! }
}

export const historyName = (timeline: number): string => `${hex8(timeline)}.history`

/** Where a timeline left another one. */
export interface Branch {
  readonly timeline: number
  /** The first byte that is not that timeline's any more. */
  readonly until: Lsn
}

/** A history file: the ancestors of a timeline, oldest first. */
export function readHistory(text: string): readonly Branch[] {
  return text
    .split('\n')
    .map((line) => /^(\d+)\t([0-9A-F]+\/[0-9A-F]+)/i.exec(line.trim()))
    .flatMap((match) => (match ? [{ timeline: Number(match[1]), until: readLsn(match[2]!) }] : []))
}
