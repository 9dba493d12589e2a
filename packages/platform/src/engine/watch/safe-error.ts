import { AssertionError } from 'node:assert'
import { Failure } from '@careloop/contract'

/** What a log line tells of an error. */
export interface SafeError {
  readonly name: string
  readonly code?: string
  readonly message?: string
  /** Stack frames without the message line. */
  readonly at?: readonly string[]
  readonly cause?: SafeError
  readonly table?: string
  readonly constraint?: string
}

/**
 * An error as it may be logged. Messages are written by whoever threw, and PostgreSQL, JSON.parse and validators quote the
 * value at fault in theirs, which may be a name or a number of a patient. So only messages that we wrote (Failure, assert) or
 * that tell of sockets and files (system errors) pass; of all others the name, the code and the stack frames.
 */
export function safeError(error: unknown, depth = 0): SafeError {
  if (!(error instanceof Error)) return { name: typeof error }
  const fields = error as Error & { code?: unknown; table?: unknown; constraint?: unknown; cause?: unknown }
  const frames = stackFrames(error)
  return {
    name: error.name,
    ...(typeof fields.code === 'string' ? { code: fields.code } : {}),
    ...(hasSafeMessage(error) ? { message: error.message } : {}),
    ...(typeof fields.table === 'string' ? { table: fields.table } : {}),
    ...(typeof fields.constraint === 'string' ? { constraint: fields.constraint } : {}),
    ...(frames.length > 0 ? { at: frames } : {}),
    ...(fields.cause !== undefined && depth < 4 ? { cause: safeError(fields.cause, depth + 1) } : {}),
  }
}

function hasSafeMessage(error: Error): boolean {
  if (error instanceof Failure) return true
  // A generated message prints both compared values.
  if (error instanceof AssertionError) return !error.generatedMessage
  return 'syscall' in error && !('path' in error)
}

function stackFrames(error: Error): string[] {
  // A message may span lines; a frame is a line that begins with `at` after the message as a whole.
  const stack = error.stack ?? ''
  const head = stack.indexOf(error.message)
  const rest = error.message !== '' && head >= 0 ? stack.slice(head + error.message.length) : stack
  return rest
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => /^at .*(:\d+:\d+\)?|<anonymous>\)?|native\)?)$/.test(line))
    .slice(0, 12)
}
