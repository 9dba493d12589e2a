/** The browser's side of passkeys: what the server asks goes to the authenticator, what it signs goes back. */
import type { PasskeyAnswer } from '@careloop/contract'
import {
  browserSupportsWebAuthn,
  type PublicKeyCredentialCreationOptionsJSON,
  type PublicKeyCredentialRequestOptionsJSON,
  type RegistrationResponseJSON,
  startAuthentication,
  startRegistration,
} from '@simplewebauthn/browser'

export type MadePasskey = RegistrationResponseJSON

export const canUsePasskeys = (): boolean => browserSupportsWebAuthn()

/** Told in words of ours; browsers' own name internals. */
export class PasskeyError extends Error {}

/** @param options as the server made them. @throws PasskeyError when none was made */
export function makePasskey(options: Readonly<Record<string, unknown>>): Promise<MadePasskey> {
  const optionsJSON = options as unknown as PublicKeyCredentialCreationOptionsJSON
  return startRegistration({ optionsJSON }).catch((error: unknown) => {
    throw new PasskeyError(
      (error as Error).name === 'InvalidStateError'
        ? 'This device has a passkey of yours already.'
        : 'No passkey was made. It was cancelled, took too long, or this device has no PIN or fingerprint set up.',
    )
  })
}

/** @param options as the server made them. @throws PasskeyError when none was shown */
export function showPasskey(options: Readonly<Record<string, unknown>>): Promise<PasskeyAnswer> {
  const optionsJSON = options as unknown as PublicKeyCredentialRequestOptionsJSON
  return startAuthentication({ optionsJSON }).then(
    (answer) => ({ ...answer, clientExtensionResults: {} }) as PasskeyAnswer,
    () => {
      throw new PasskeyError('No passkey was shown. It was cancelled, took too long, or there is none on this device.')
    },
  )
}
