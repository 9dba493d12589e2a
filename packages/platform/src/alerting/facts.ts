/** Facts that this room publishes. Bodies: contract's `FactBodies`; in words: docs/facts.md. */
import type { FactType } from '@careloop/contract'

export const alertingFacts = [
  'RuleActivated',
  'AlertRaised',
  'AlertRecurred',
  'AlertCleared',
  'AlertEvidenceChanged',
  'AlertClosed',
  'AlertReopened',
  'RuleUnreachable',
] as const satisfies readonly FactType[]
