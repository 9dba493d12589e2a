/** Which act waits for its person to show again who they are; one dialog for all that are asked meanwhile. */
import type { ApiError } from '../api/client.ts'

export interface Waiting {
  /** `prove`: by what they have. `set-up`: they have nothing yet. */
  readonly is: 'prove' | 'set-up'
  settle(proved: boolean): void
}

let waiting: Waiting | null = null
let answer: Promise<boolean> | undefined
const listeners = new Set<() => void>()

export const waitingNow = (): Waiting | null => waiting

export function onWaiting(listener: () => void): () => void {
  listeners.add(listener)
  return () => void listeners.delete(listener)
}

/** Resolves when the person has shown it, or would not. */
export function proveAgain(refused: Pick<ApiError, 'code'>): Promise<boolean> {
  answer ??= new Promise<boolean>((resolve) => {
    const is = refused.code === 'step-up-without-factor' ? 'set-up' : 'prove'
    set({ is, settle: (proved) => finish(resolve, proved) })
  })
  return answer
}

function finish(resolve: (proved: boolean) => void, proved: boolean): void {
  answer = undefined
  set(null)
  resolve(proved)
}

function set(next: Waiting | null): void {
  waiting = next
  for (const listener of listeners) listener()
}
