/** How far a device is on its way to the first reading. Pure. */
import type { CredentialView, DeviceView } from '@careloop/contract'
import { isWorn } from './shown-devices.ts'

export type StepState = 'done' | 'next' | 'later'
export type StepName = 'enrolled' | 'credential' | 'worn' | 'connected' | 'reading'

export interface Way {
  readonly device: DeviceView
  /** Those that may be used now; undefined = not known (no right, not read yet). */
  readonly credentials: readonly CredentialView[] | undefined
  /** When it last measured something that was stored. */
  readonly heardAt: number | undefined
  /** Messages of it that wait in quarantine. */
  readonly heldBack: number
}

const order: readonly StepName[] = ['enrolled', 'credential', 'worn', 'connected', 'reading']

/** Each step done or not by itself; the first that is not done is the next one. */
export function stepsOf({ device, credentials, heardAt, heldBack }: Way): Readonly<Record<StepName, StepState>> {
  const hasSpoken = heardAt !== undefined || heldBack > 0
  const done: Readonly<Record<StepName, boolean>> = {
    enrolled: true,
    // Whoever spoke had one.
    credential: (credentials?.length ?? 0) > 0 || hasSpoken || device.lastConnectedAt !== null,
    worn: isWorn(device),
    // By HTTP there is no connection: the message itself shows that it got through.
    connected: device.lastConnectedAt !== null || hasSpoken,
    reading: heardAt !== undefined,
  }
  const next = order.find((step) => !done[step])
  const stateOf = (step: StepName): StepState => (done[step] ? 'done' : step === next ? 'next' : 'later')
  return {
    enrolled: stateOf('enrolled'),
    credential: stateOf('credential'),
    worn: stateOf('worn'),
    connected: stateOf('connected'),
    reading: stateOf('reading'),
  }
}

export const usable = (credentials: readonly CredentialView[], now: number): CredentialView[] =>
  credentials.filter(({ revokedAt, expiresAt }) => revokedAt === null && (expiresAt === null || expiresAt > now))
