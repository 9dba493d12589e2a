import { Failure } from '@careloop/contract'

/** Trouble of the database, of its connection or of who may work: the same fact may pass on the next try. */
export function isPassing(error: unknown): boolean {
  if (!(error instanceof Error)) return false
  if (error instanceof Failure) return error.kind.disposition === 'retry'
  const { code } = error as Error & { code?: unknown }
  if (code === undefined) return /connection|timeout|terminat|not queryable/i.test(error.message)
  return /^(08|25006|40|53|55|57|58|E[A-Z]+$)/.test(String(code))
}
