/** Sign-in by a passkey: alone, where it names its person, or as the second step after the password. */
import type { PasskeyAnswer } from '@careloop/contract'
import { passkeyRefused } from './passkey-challenge.ts'
import { askForPasskey, type BrowserOptions, type PasskeyFinding, readPasskey } from './passkeys.ts'
import { assertRight } from './proof.ts'
import { relyingParty } from './relying-party.ts'
import { sha256 } from './service-tokens.ts'
import {
  begin,
  challengeOver,
  countWrong,
  type Door,
  type Peer,
  readChallenge,
  type SignInStep,
  useUp,
} from './sign-in.ts'
import { recordRefusedCode } from './sign-in-trail.ts'
import { tenantOfUser } from './staff.ts'

const alone = (token: string) => ({ purpose: 'sign-in', boundTo: token }) as const
const afterPassword = (challenge: string) => ({ purpose: 'second-factor', boundTo: challenge }) as const

/** @returns the options, and the token of the cookie that the answer has to come with. @throws Failure `passkey-not-here` */
export async function beginPasskeySignIn(
  { engine, publicOrigin }: Door,
  peer: Peer,
): Promise<{ options: BrowserOptions; token: string }> {
  const token = engine.ids.token('clpass')
  const party = relyingParty(publicOrigin, peer.host)
  return { options: await askForPasskey(engine, party, null, alone(token)), token }
}

/** A passkey alone is two factors: the device, and the finger or number that opened it. @throws Failure `passkey-refused`, `passkey-suspected` */
export async function signInByPasskey(
  door: Door,
  shown: { readonly token: string | undefined; readonly passkey: PasskeyAnswer; readonly remember: boolean },
  peer: Peer,
): Promise<SignInStep> {
  const party = relyingParty(door.publicOrigin, peer.host)
  const found = await readPasskey(door.engine, party, shown.passkey, null, alone(shown.token ?? ''))
  const user = await whose(door, found, peer)
  return begin(door, { user, remember: shown.remember, passedSecondFactor: true }, peer)
}

/** @throws Failure `challenge-over`, `passkey-none`, `passkey-not-here` */
export async function beginPasskeyStep(
  { engine, publicOrigin }: Door,
  challenge: string | undefined,
  peer: Peer,
): Promise<BrowserOptions> {
  const open = await readChallenge(engine, sha256(challenge ?? ''))
  if (open === null) throw challengeOver()
  return askForPasskey(engine, relyingParty(publicOrigin, peer.host), open.user, afterPassword(challenge!))
}

/** @throws Failure `challenge-over`, `passkey-refused`, `passkey-suspected` */
export async function passPasskeyStep(
  door: Door,
  shown: { readonly challenge: string | undefined; readonly passkey: PasskeyAnswer },
  peer: Peer,
): Promise<SignInStep> {
  const { engine } = door
  const { challenge = '', passkey } = shown
  const token = sha256(challenge)
  const open = await readChallenge(engine, token)
  if (open === null) throw challengeOver()
  const party = relyingParty(door.publicOrigin, peer.host)
  const found = await readPasskey(engine, party, passkey, open.user, afterPassword(challenge))
  if (found.is !== 'right') await countWrong(engine, token)
  const user = await whose(door, found, peer)
  await useUp(engine, token)
  return begin(door, { ...open, user, passedSecondFactor: true }, peer)
}

/** Whose it is, when it is right; a wrong one stands in the trail of who it claimed to be. */
async function whose(door: Door, found: PasskeyFinding, peer: Peer): Promise<string> {
  if (found.is === 'right') return found.user
  if (found.user === null) throw passkeyRefused()
  await recordRefusedCode(door.engine, found.user, peer.requestId)
  const tenant = await tenantOfUser(door.engine, found.user)
  if (tenant === null) throw passkeyRefused()
  await assertRight(door, found, { tenant, by: { actor: 'anonymous', requestId: peer.requestId } })
  throw passkeyRefused()
}
