/**
 * Before grave acts (`stepUp` on a route) a person proves again that it is them: a session that was taken over, or a desk that was
 * left open, activates no rule and takes no device off. Pure.
 */
import { fail } from './errors.ts'
import type { Principal } from './principal.ts'

/** So long a proof counts, in its own session only. */
export const provedForMs = 5 * 60_000

/**
 * A service is not asked: somebody who was has made its token.
 * @throws Failure `step-up-needed`; `step-up-without-factor` when there is nothing that could be proved
 */
export function assertProvedLately(principal: Principal, now: number): void {
  if (principal.kind !== 'staff') return
  const { provedAt } = principal
  // Whoever asked for it: here, or at the identity provider.
  if (provedAt !== undefined && now - provedAt < provedForMs) return
  if (principal.hasSecondFactor !== true)
    throw fail(
      'step-up-without-factor',
      'This wants a second factor, and you have none here. Set up a passkey or an authenticator app on your account page, or show at your organisation’s sign-in that it is you; then do it again.',
    )
  throw fail('step-up-needed', 'Show again that it is you, by a code or a passkey, then go on.')
}
