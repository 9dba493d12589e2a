/** What passes between the pool and its threads. Private to this folder. */
import type { FailureKind } from '@careloop/contract'

export interface JobMessage {
  readonly id: number
  readonly module: string
  readonly input: unknown
}

/** An error as it crosses a thread: `cause` chains are cut, a Failure keeps what makes it one. */
export interface CarriedError {
  readonly name: string
  readonly message: string
  readonly stack?: string
  readonly failure?: {
    readonly code: string
    readonly kind: FailureKind
    readonly pointer: string
    readonly retryAfterSeconds?: number
  }
}

export type ResultMessage =
  | { readonly id: number; readonly output: unknown }
  | { readonly id: number; readonly error: CarriedError }
