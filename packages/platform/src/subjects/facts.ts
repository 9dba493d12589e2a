/** Facts that this room publishes. Bodies: contract's `FactBodies`; in words: docs/facts.md. */
import type { FactType } from '@careloop/contract'

export const subjectsFacts = [
  'SubjectChanged',
  'SubjectErased',
  'ErasureProposed',
  'ErasureDecided',
  'LegalHoldChanged',
  'SiteChanged',
  'CareTeamChanged',
  'SightChanged',
  'EnrolmentChanged',
  'ConsentChanged',
] as const satisfies readonly FactType[]
