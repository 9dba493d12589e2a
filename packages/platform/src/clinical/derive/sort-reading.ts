/** Which way a reading goes into the record. */
import type { LoggedReading, Origin } from '@careloop/contract'
import { isOfPanel } from './blood-pressure.ts'
import { policyOf, type SignalPolicy } from './policy.ts'

export type Way =
  /** Not in the record. */
  | { readonly way: 'none' }
  /** Part of one cuff measurement. */
  | { readonly way: 'panel'; readonly group: string }
  /** An Observation of its own, however often it comes: what a person typed, what belongs to a cuff measurement. */
  | { readonly way: 'spot' }
  /** Of a stream, until its policy says otherwise. */
  | { readonly way: 'window'; readonly policy: SignalPolicy }

export function wayOf({ signal, groupId }: Pick<LoggedReading, 'signal' | 'groupId'>, origin: Origin): Way {
  const policy = policyOf(signal)
  if (policy === null) return { way: 'none' }
  if (isOfPanel(signal, groupId)) return { way: 'panel', group: groupId }
  if (groupId !== undefined || origin !== 'automatic') return { way: 'spot' }
  return { way: 'window', policy }
}
