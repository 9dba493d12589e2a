/** Facts that this room publishes. Bodies: contract's `FactBodies`; in words: docs/facts.md. */
import type { FactType } from '@careloop/contract'

export const workflowFacts = [
  'TaskOpened',
  'TaskChanged',
  'TaskHandedOff',
  'TaskOverdue',
  'Notified',
  'ReviewOpened',
  'ReviewChanged',
  'BreakGlassOpened',
  'BreakGlassMissed',
] as const satisfies readonly FactType[]
