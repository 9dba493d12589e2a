/**
 * The history of who wore a device, as pure decisions. A history is a list of spans, half-open [from, to), oldest first, that
 * never overlap; only the last may be open. Nothing here reads a clock or a table.
 */
import type { AssignmentEdit, AssignmentSpan, EpochMs } from '@careloop/contract'
import { fleetFailure } from './errors.ts'

/** Who wore the device at an instant, null when nobody did. */
export function spanAt(history: readonly AssignmentSpan[], at: EpochMs): AssignmentSpan | null {
  // Nearly every reading belongs to the newest span.
  const newest = history[history.length - 1]
  if (newest === undefined) return null
  if (at >= newest.from) return newest.to === null || at < newest.to ? newest : null
  let low = 0
  let high = history.length - 2
  while (low <= high) {
    const middle = (low + high) >> 1
    const span = history[middle]!
    if (at < span.from) high = middle - 1
    else if (span.to !== null && at >= span.to) low = middle + 1
    else return span
  }
  return null
}

/** What a change does: spans that no longer hold, spans that hold from now on, and the whole history after it. */
export interface HistoryChange {
  readonly superseded: readonly AssignmentSpan[]
  readonly added: readonly AssignmentSpan[]
  readonly after: readonly AssignmentSpan[]
  /** The earliest instant whose attribution differs. */
  readonly since: EpochMs
}

/** Puts the device on a subject from an instant on. @throws Failure `assignment-in-future`, `device-worn`, `assignment-overlaps` */
export function begin(history: readonly AssignmentSpan[], span: AssignmentSpan, now: EpochMs): HistoryChange {
  assertPast(span.from, now, '/body/from')
  const open = history.find((each) => each.to === null)
  if (open)
    throw fleetFailure('device-worn', 'The device is worn already. End that assignment first, or correct it.', {
      pointer: '/body/subject',
    })
  if (history.some((each) => each.to! > span.from))
    throw fleetFailure(
      'assignment-overlaps',
      'The device was worn after that instant. Begin later, or correct the history.',
      {
        pointer: '/body/from',
      },
    )
  return { superseded: [], added: [span], after: [...history, span], since: span.from }
}

/** Ends the open span. @throws Failure `device-not-worn`, `assignment-in-future`, `assignment-span-wrong` */
export function end(history: readonly AssignmentSpan[], to: EpochMs, now: EpochMs): HistoryChange {
  const open = history.find((each) => each.to === null)
  if (!open) throw fleetFailure('device-not-worn', 'Nobody wears the device now: there is nothing to end.')
  const ended = { ...open, to }
  assertSpan(ended, now, { from: '/body/to', to: '/body/to' })
  return { superseded: [open], added: [ended], after: history.map((each) => (each === open ? ended : each)), since: to }
}

/**
 * Applies all edits together. A span keeps its id while its subject stays; another subject makes another assignment, because a
 * series never spans wearers.
 * @throws Failure `assignment-not-found`, `assignment-edited-twice`, `assignment-span-wrong`, `assignment-in-future`,
 *   `assignment-overlaps`, `correction-empty`; each with a pointer to the edit
 */
export function correct(
  history: readonly AssignmentSpan[],
  edits: readonly AssignmentEdit[],
  now: EpochMs,
  newId: () => string,
): HistoryChange {
  const superseded: AssignmentSpan[] = []
  const placed: Placed[] = []
  edits.forEach((edit, at) => {
    const pointer = `/body/edits/${at}`
    const before = edit.edit === 'add' ? undefined : targetOf(history, superseded, edit.assignment, pointer)
    if (before) superseded.push(before)
    if (edit.edit === 'remove') return
    const span = before ? changed(before, edit, newId) : added(edit, newId)
    assertSpan(span, now, { from: `${pointer}/from`, to: `${pointer}/to` })
    placed.push({ span, pointer })
  })
  const untouched = history.filter((span) => !superseded.includes(span)).map((span): Placed => ({ span, pointer: '' }))
  const after = inOrder([...untouched, ...placed])
  const since = firstDifference(history, after)
  if (since === null)
    throw fleetFailure('correction-empty', 'These edits change nothing. Read the history again.', {
      pointer: '/body/edits',
    })
  return { superseded, added: placed.map((each) => each.span), after, since }
}

/** The earliest instant at which two histories name another assignment or subject, null when they agree everywhere. */
export function firstDifference(a: readonly AssignmentSpan[], b: readonly AssignmentSpan[]): EpochMs | null {
  const edges = [...a, ...b].flatMap((span) => (span.to === null ? [span.from] : [span.from, span.to]))
  for (const edge of edges.sort((one, other) => one - other)) {
    const [before, after] = [spanAt(a, edge), spanAt(b, edge)]
    if (before?.id !== after?.id || before?.subject !== after?.subject) return edge
  }
  return null
}

// ---------------------------------------------------------------- parts

interface Placed {
  readonly span: AssignmentSpan
  /** Of the edit that placed it; empty for a span that no edit touched. */
  readonly pointer: string
}

type ChangeEdit = Extract<AssignmentEdit, { edit: 'change' }>
type AddEdit = Extract<AssignmentEdit, { edit: 'add' }>

function targetOf(
  history: readonly AssignmentSpan[],
  superseded: readonly AssignmentSpan[],
  id: string,
  pointer: string,
): AssignmentSpan {
  const span = history.find((each) => each.id === id)
  if (!span)
    throw fleetFailure('assignment-not-found', 'The device has no such assignment now. Read its history again.', {
      pointer: `${pointer}/assignment`,
    })
  if (superseded.includes(span))
    throw fleetFailure('assignment-edited-twice', 'Two edits name this assignment. Put them into one.', {
      pointer: `${pointer}/assignment`,
    })
  return span
}

function changed(before: AssignmentSpan, edit: ChangeEdit | AddEdit, newId: () => string): AssignmentSpan {
  const subject = edit.subject ?? before.subject
  const id = subject === before.subject ? before.id : newId()
  return { id, subject, from: edit.from ?? before.from, to: edit.to === undefined ? before.to : edit.to }
}

const added = (edit: ChangeEdit | AddEdit, newId: () => string): AssignmentSpan => {
  if (edit.edit !== 'add') throw new Error('only an added span has no span before it')
  return { id: newId(), subject: edit.subject, from: edit.from, to: edit.to }
}

function assertPast(at: EpochMs, now: EpochMs, pointer: string): void {
  if (at <= now) return
  throw fleetFailure('assignment-in-future', 'This instant lies in the future. Leave it out to say now.', { pointer })
}

function assertSpan(span: AssignmentSpan, now: EpochMs, pointers: { from: string; to: string }): void {
  assertPast(span.from, now, pointers.from)
  if (span.to === null) return
  assertPast(span.to, now, pointers.to)
  if (span.to <= span.from)
    throw fleetFailure('assignment-span-wrong', 'The end must come after the beginning.', { pointer: pointers.to })
}

function inOrder(placed: readonly Placed[]): AssignmentSpan[] {
  const sorted = [...placed].sort((a, b) => a.span.from - b.span.from)
  for (let at = 1; at < sorted.length; at++) {
    const [earlier, later] = [sorted[at - 1]!, sorted[at]!]
    if (earlier.span.to !== null && earlier.span.to <= later.span.from) continue
    throw fleetFailure('assignment-overlaps', 'Two subjects would wear the device at once. Shorten one of the spans.', {
      pointer: later.pointer || earlier.pointer,
    })
  }
  return sorted.map((each) => each.span)
}
