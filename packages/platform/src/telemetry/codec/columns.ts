/**
 * Readings of one series as columns, the form in which they are stored, merged and read. An optional column is null when no
 * reading has it; in it NaN (numbers), undefined (texts) and 0 (codes) stand for "none".
 */
import type { AbsentReason, EpochMs, LoggedReading, Origin, ReadingFlag, Value } from '@careloop/contract'

export interface Columns {
  readonly n: number
  readonly measuredAt: Float64Array
  /** In the signal's canonical unit; 0 where `special` says what stands in place of a number. */
  readonly value: Float64Array
  /** `absent:<reason>`, `<limit` or `>limit`. */
  readonly special: (string | undefined)[] | null
  /** The device's own time before correction. */
  readonly deviceTime: Float64Array | null
  /**
   * When the log took it, kept where that was > 10 s from measuredAt or out of order, and of what comes seldom or first in 5 min;
   * else it was within 10 s of measuredAt.
   */
  readonly storedAt: Float64Array | null
  readonly originalValue: Float64Array | null
  readonly originalUnit: (string | undefined)[] | null
  readonly groupId: (string | undefined)[] | null
  readonly enteredBy: (string | undefined)[] | null
  readonly ordinal: Float64Array | null
  /** Sum of 1 << index in `flagCodes`. */
  readonly flags: Float64Array | null
  /** Index in `originCodes`. */
  readonly origin: Float64Array | null
}

/** One reading as telemetry keeps and returns it. */
export interface KeptReading extends Omit<LoggedReading, 'signal'> {
  /** Absent = `automatic`. */
  readonly origin?: Origin
  readonly enteredBy?: string
  /** Present where it came > 10 s after (or before) it was measured or out of order, and of what comes seldom or first in 5 min. */
  readonly storedAt?: EpochMs
}

/** Order is part of the stored format: only ever append. */
export const flagCodes: readonly ReadingFlag[] = ['clock-in-future', 'clock-unset', 'implausible', 'historic']
export const originCodes: readonly Origin[] = ['automatic', 'typed', 'ehr']

export const numberColumns = ['deviceTime', 'storedAt', 'originalValue'] as const
export const textColumns = ['special', 'originalUnit', 'groupId', 'enteredBy'] as const
export const codeColumns = ['ordinal', 'flags', 'origin'] as const

type Draft = { -readonly [K in keyof Columns]: Columns[K] }

/**
 * @param readings in any order; the columns come sorted by (measuredAt, ordinal), equal ones in the order given. Exact repeats
 *   of (measuredAt, ordinal, value) are one reading: the first.
 */
export function toColumns(readings: readonly KeptReading[]): Columns {
  const n = readings.length
  const draft = empty(n)
  for (let i = 0; i < n; i++) {
    const reading = readings[i]!
    draft.measuredAt[i] = reading.measuredAt
    if (typeof reading.value === 'number') draft.value[i] = reading.value
    else text(draft, 'special', i, specialText(reading.value))
    if (reading.ordinal !== 0) code(draft, 'ordinal', i, reading.ordinal)
    if (reading.origin !== undefined && reading.origin !== 'automatic')
      code(draft, 'origin', i, originCodes.indexOf(reading.origin))
    if (reading.flags?.length) code(draft, 'flags', i, flagBits(reading.flags))
    if (reading.deviceTime !== undefined) number(draft, 'deviceTime', i, reading.deviceTime)
    if (reading.storedAt !== undefined) number(draft, 'storedAt', i, reading.storedAt)
    if (reading.groupId !== undefined) text(draft, 'groupId', i, reading.groupId)
    if (reading.enteredBy !== undefined) text(draft, 'enteredBy', i, reading.enteredBy)
    if (reading.original) {
      number(draft, 'originalValue', i, reading.original.value)
      text(draft, 'originalUnit', i, reading.original.unit)
    }
  }
  return sorted(draft)
}

export function readingAt(columns: Columns, i: number): KeptReading {
  const special = columns.special?.[i]
  const flags = columns.flags?.[i]
  const deviceTime = columns.deviceTime?.[i] ?? Number.NaN
  const storedAt = columns.storedAt?.[i] ?? Number.NaN
  const groupId = columns.groupId?.[i]
  const enteredBy = columns.enteredBy?.[i]
  const unit = columns.originalUnit?.[i]
  return {
    measuredAt: columns.measuredAt[i]!,
    value: special === undefined ? columns.value[i]! : specialValue(special),
    ordinal: columns.ordinal?.[i] ?? 0,
    ...(columns.origin?.[i] ? { origin: originCodes[columns.origin[i]!]! } : {}),
    ...(flags ? { flags: flagCodes.filter((_, bit) => flags & (1 << bit)) } : {}),
    ...(Number.isNaN(deviceTime) ? {} : { deviceTime }),
    ...(Number.isNaN(storedAt) ? {} : { storedAt }),
    ...(groupId === undefined ? {} : { groupId }),
    ...(enteredBy === undefined ? {} : { enteredBy }),
    ...(unit === undefined ? {} : { original: { value: columns.originalValue![i]!, unit } }),
  }
}

export const toReadings = (columns: Columns): KeptReading[] =>
  Array.from({ length: columns.n }, (_, i) => readingAt(columns, i))

export const specialText = (value: Exclude<Value, number>): string =>
  'absent' in value ? `absent:${value.absent}` : `${value.comparator}${Object.is(value.limit, -0) ? '-0' : value.limit}`

export function specialValue(text: string): Exclude<Value, number> {
  const first = text[0]
  if (first === '<' || first === '>') return { comparator: first, limit: Number(text.slice(1)) }
  return { absent: text.slice('absent:'.length) as AbsentReason }
}

const flagBits = (flags: readonly ReadingFlag[]): number =>
  flags.reduce((bits, flag) => bits | (1 << flagCodes.indexOf(flag)), 0)

// ---------------------------------------------------------------- joining, sorting, taking

/** All readings of the parts, sorted by (measuredAt, ordinal); equal ones keep the order of the parts, exact repeats go. */
export function joined(parts: readonly Columns[]): Columns {
  if (parts.length === 1) return parts[0]!
  const draft = empty(parts.reduce((sum, part) => sum + part.n, 0))
  let at = 0
  for (const part of parts) {
    draft.measuredAt.set(part.measuredAt, at)
    draft.value.set(part.value, at)
    for (const name of [...numberColumns, ...codeColumns]) {
      const column = part[name]
      if (!column) continue
      draft[name] ??= blank(name, draft.n)
      draft[name].set(column, at)
    }
    for (const name of textColumns) {
      const column = part[name]
      if (!column) continue
      draft[name] ??= new Array<string | undefined>(draft.n).fill(undefined)
      for (let i = 0; i < part.n; i++) draft[name][at + i] = column[i]
    }
    at += part.n
  }
  return sorted(draft)
}

/** The readings at `indexes`, in that order. */
export function taken(columns: Columns, indexes: ArrayLike<number>): Columns {
  const n = indexes.length
  const pick = (column: Float64Array) => {
    const picked = new Float64Array(n)
    for (let i = 0; i < n; i++) picked[i] = column[indexes[i]!]!
    return picked
  }
  const draft = empty(n)
  draft.measuredAt = pick(columns.measuredAt)
  draft.value = pick(columns.value)
  for (const name of [...numberColumns, ...codeColumns]) {
    const column = columns[name]
    if (column) draft[name] = pick(column)
  }
  for (const name of textColumns) {
    const column = columns[name]
    if (column) draft[name] = Array.from({ length: n }, (_, i) => column[indexes[i]!])
  }
  return draft
}

/** Readings `start` to `end` (exclusive). */
export function slice(columns: Columns, start: number, end: number): Columns {
  if (start === 0 && end === columns.n) return columns
  return taken(
    columns,
    Array.from({ length: end - start }, (_, i) => start + i),
  )
}

function sorted(columns: Columns): Columns {
  const { measuredAt, ordinal, n } = columns
  const order = (a: number, b: number) =>
    measuredAt[a]! - measuredAt[b]! || (ordinal ? ordinal[a]! - ordinal[b]! : 0) || a - b
  let inOrder = true
  for (let i = 1; i < n && inOrder; i++) inOrder = order(i - 1, i) < 0
  const indexes = Uint32Array.from({ length: n }, (_, i) => i)
  if (!inOrder) indexes.sort(order)
  const once = withoutRepeats(columns, indexes)
  return inOrder && once.length === n ? columns : taken(columns, once)
}

/**
 * A device that heard no answer sends again, and a takeover may log again what was logged: the same value at the same place is
 * the same reading. Another value at that place is kept beside it: somebody has to see both.
 */
function withoutRepeats(columns: Columns, indexes: Uint32Array): Uint32Array {
  const { measuredAt, ordinal, value, special } = columns
  const isSamePlace = (a: number, b: number) =>
    measuredAt[a] === measuredAt[b] && (ordinal?.[a] ?? 0) === (ordinal?.[b] ?? 0)
  const isSameValue = (a: number, b: number) => Object.is(value[a], value[b]) && special?.[a] === special?.[b]
  let kept = 0
  let placeFrom = 0
  for (const index of indexes) {
    if (kept > 0 && !isSamePlace(indexes[kept - 1]!, index)) placeFrom = kept
    let isRepeat = false
    for (let i = placeFrom; i < kept && !isRepeat; i++) isRepeat = isSameValue(indexes[i]!, index)
    if (!isRepeat) indexes[kept++] = index
  }
  return indexes.subarray(0, kept)
}

export function empty(n: number): Draft {
  return {
    n,
    measuredAt: new Float64Array(n),
    value: new Float64Array(n),
    special: null,
    deviceTime: null,
    storedAt: null,
    originalValue: null,
    originalUnit: null,
    groupId: null,
    enteredBy: null,
    ordinal: null,
    flags: null,
    origin: null,
  }
}

const blank = (name: (typeof numberColumns)[number] | (typeof codeColumns)[number], n: number): Float64Array =>
  (numberColumns as readonly string[]).includes(name) ? new Float64Array(n).fill(Number.NaN) : new Float64Array(n)

function number(draft: Draft, name: (typeof numberColumns)[number], i: number, value: number): void {
  const column = draft[name] ?? blank(name, draft.n)
  draft[name] = column
  column[i] = value
}

function code(draft: Draft, name: (typeof codeColumns)[number], i: number, value: number): void {
  const column = draft[name] ?? blank(name, draft.n)
  draft[name] = column
  column[i] = value
}

function text(draft: Draft, name: (typeof textColumns)[number], i: number, value: string): void {
  const column = draft[name] ?? new Array<string | undefined>(draft.n).fill(undefined)
  draft[name] = column
  column[i] = value
}
