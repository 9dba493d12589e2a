/** What of the first minute was done and whether it is shown: kept in this browser, over sign-ins of the demo's other people. */
import { useSyncExternalStore } from 'react'

export interface Progress {
  readonly done: readonly string[]
  readonly isHidden: boolean
}

const stored = 'careloop-first-minute'
const none: Progress = { done: [], isHidden: false }
const listeners = new Set<() => void>()
let progress: Progress | undefined

/** What a browser kept, by whatever version of the pages; anything else counts as nothing. */
export function readProgress(text: string | null): Progress {
  try {
    const { done, isHidden } = JSON.parse(text ?? 'null') as Partial<Progress>
    return {
      done: Array.isArray(done) ? done.filter((each) => typeof each === 'string') : [],
      isHidden: isHidden === true,
    }
  } catch {
    return none
  }
}

const current = (): Progress => {
  progress ??= readProgress(localStorage.getItem(stored))
  return progress
}

function change(next: Progress): void {
  progress = next
  localStorage.setItem(stored, JSON.stringify(next))
  for (const each of listeners) each()
}

/** Steps stay done: what was seen once may be gone from the page a moment later. */
export function tick(ids: readonly string[]): void {
  const { done, isHidden } = current()
  const fresh = ids.filter((id) => !done.includes(id))
  if (fresh.length > 0) change({ done: [...done, ...fresh], isHidden })
}

export const hide = (isHidden: boolean): void => change({ ...current(), isHidden })
export const beginAgain = (): void => change(none)

export const useProgress = (): Progress =>
  useSyncExternalStore((listener) => {
    listeners.add(listener)
    return () => listeners.delete(listener)
  }, current)
