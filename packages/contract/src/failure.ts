/**
 * An expected failure. A broken invariant is a bug and throws `assert`; everything a user or device can cause is a Failure
 * with a code from its room's errors.ts. The disposition decides, in one place, ack or nak, retry or dead letter, status.
 */

export type Disposition = 'retry' | 'reject' | 'bug'

/** FHIR R4 OperationOutcome issue types in use. */
export type IssueType =
  | 'invalid'
  | 'structure'
  | 'required'
  | 'value'
  | 'security'
  | 'login'
  | 'forbidden'
  | 'expired'
  | 'not-found'
  | 'conflict'
  | 'duplicate'
  | 'too-long'
  | 'business-rule'
  | 'throttled'
  | 'transient'
  | 'no-store'
  | 'timeout'
  | 'processing'
  | 'exception'

/** One line of a room's errors.ts and of docs/errors.md. */
export interface FailureKind {
  readonly disposition: Disposition
  readonly status: number
  readonly issue: IssueType
}

export class Failure extends Error {
  readonly code: string
  readonly kind: FailureKind
  /** JSON pointer (RFC 6901) to the field at fault, `''` for the whole. */
  readonly pointer: string
  readonly retryAfterSeconds: number | undefined

  /** @param message says what is wrong and what to do next; never holds PHI or secrets */
  constructor(
    code: string,
    kind: FailureKind,
    message: string,
    options: { pointer?: string; retryAfterSeconds?: number; cause?: unknown } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.name = 'Failure'
    this.code = code
    this.kind = kind
    this.pointer = options.pointer ?? ''
    this.retryAfterSeconds = options.retryAfterSeconds
  }
}

/**
 * Makes a room's failure constructors from its table of kinds.
 * @example const fail = failures(errors); throw fail('device-not-found', 'No such device. Check the id.', { pointer: '/device' })
 */
export function failures<const T extends Record<string, FailureKind>>(kinds: T) {
  return (
    code: keyof T & string,
    message: string,
    options: { pointer?: string; retryAfterSeconds?: number; cause?: unknown } = {},
  ): Failure => new Failure(code, kinds[code]!, message, options)
}
