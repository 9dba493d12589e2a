/** The last act that can be taken back, for ten seconds. One at a time: the newest is what a slip of the hand was. */
import { useSyncExternalStore } from 'react'

export const undoMs = 10_000

export interface Undoable {
  /** What was done: "Claimed for Maria Álvarez." */
  readonly words: string
  /** Absent: it is told and cannot be taken back. */
  readonly undo?: () => Promise<string>
}

export interface Shown extends Undoable {
  readonly id: number
  /** By `performance.now()`. */
  readonly until: number
  /** `undone` and `refused` say in `words` what came of it. */
  readonly state: 'offered' | 'undoing' | 'undone' | 'refused'
}

let shown: Shown | null = null
let ids = 0
let timer: ReturnType<typeof setTimeout> | undefined
const listeners = new Set<() => void>()

function show(next: Shown | null): void {
  shown = next
  clearTimeout(timer)
  if (next !== null && next.state !== 'undoing')
    timer = setTimeout(() => show(null), Math.max(0, next.until - performance.now()))
  for (const each of listeners) each()
}

/** Says what was done, and offers to take it back. */
export function tellDone(done: Undoable): void {
  ids += 1
  show({ ...done, id: ids, until: performance.now() + undoMs, state: 'offered' })
}

export const dismissUndo = (): void => show(null)

/** Takes back what was done last, once. */
export async function undoLast(): Promise<void> {
  const last = shown
  if (last?.undo === undefined || last.state !== 'offered') return
  show({ ...last, state: 'undoing' })
  const end = async (): Promise<Pick<Shown, 'words' | 'state'>> => {
    try {
      return { words: await last.undo!(), state: 'undone' }
    } catch (error) {
      return { words: `Not undone. ${(error as Error).message}`, state: 'refused' }
    }
  }
  const told = await end()
  // A newer act may have taken its place meanwhile: a refusal is told all the same, a success shows in the list.
  if (shown?.id === last.id || told.state === 'refused') show({ ...last, ...told, until: performance.now() + undoMs })
}

export const useShown = (): Shown | null =>
  useSyncExternalStore(
    (listener) => {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    () => shown,
  )
