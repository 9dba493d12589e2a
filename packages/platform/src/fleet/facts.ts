/** Facts that this room publishes. Bodies: contract's `FactBodies`; in words: docs/facts.md. */
import type { FactType } from '@careloop/contract'

export const fleetFacts = [
  'DeviceEnrolled',
  'DeviceChanged',
  'DeviceSettingsChanged',
  'CredentialRevoked',
  'DeviceSuspicious',
  'AssignmentChanged',
] as const satisfies readonly FactType[]
