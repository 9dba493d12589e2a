/** The second factor of who asks. Open to sessions that wait for one: their only way on. */
import { BackupCodes, OfferedSecret, OwnSecondFactor, Proof, SecondFactorCode, StepUp } from '@careloop/contract'
import { askerOf } from './asked-by.ts'
import type { Identity } from './identity.ts'
import { defineRoute, type Route } from './route.ts'
import { demandsSecondFactor } from './second-factor.ts'
import { assertUnlocked } from './session-hold.ts'

const secret = { headers: { 'cache-control': 'no-store' } }

export const secondFactorRoutes = (identity: Identity): Route[] => [
  defineRoute({
    method: 'GET',
    url: '/api/v1/second-factor',
    summary: 'Whether who asks has a second factor, and whether their role demands one',
    tag: 'sign-in',
    policy: 'session',
    response: { 200: OwnSecondFactor },
    async handler(ctx) {
      assertUnlocked(ctx.principal)
      const state = await identity.secondFactor(ctx.principal.id)
      const atProvider = await identity.sso.prover(ctx.principal)
      return ctx.reply(200, { ...state, isNeeded: demandsSecondFactor(ctx.principal.roles), atProvider })
    },
  }),
  defineRoute({
    method: 'POST',
    url: '/api/v1/second-factor/begin',
    summary: 'A new secret for an authenticator app; it counts once a code of it was given',
    description:
      'The password is asked again, and a code of the old app when there is one; not of who has just signed in to enrol.',
    tag: 'sign-in',
    policy: 'session',
    perMinute: 20,
    body: Proof,
    response: { 200: OfferedSecret },
    handler: async (ctx) => ctx.reply(200, await identity.beginSecondFactor(askerOf(ctx), ctx.body), secret),
  }),
  defineRoute({
    method: 'POST',
    url: '/api/v1/second-factor/confirm',
    summary:
      'Take the offered secret on by a code of it; other sessions of the person end, backup codes are answered once',
    tag: 'sign-in',
    policy: 'session',
    body: SecondFactorCode,
    response: { 200: BackupCodes },
    async handler(ctx) {
      const { codes, cookies } = await identity.confirmSecondFactor(askerOf(ctx), ctx.body.code)
      return ctx.reply(200, { codes }, { headers: { ...secret.headers, 'set-cookie': cookies } })
    },
  }),
  defineRoute({
    method: 'POST',
    url: '/api/v1/second-factor/backup-codes',
    summary: 'New backup codes, answered once; the old ones open nothing any more',
    tag: 'sign-in',
    policy: 'signed-in',
    body: StepUp,
    response: { 200: BackupCodes },
    async handler(ctx) {
      return ctx.reply(200, { codes: await identity.renewBackupCodes(askerOf(ctx), ctx.body) }, secret)
    },
  }),
  defineRoute({
    method: 'POST',
    url: '/api/v1/second-factor/remove',
    summary:
      'Give up app, passkeys and backup codes, where the role does not demand a second factor; other sessions end',
    tag: 'sign-in',
    policy: 'signed-in',
    body: Proof,
    response: { 204: 'empty' },
    async handler(ctx) {
      await identity.giveUpSecondFactor(askerOf(ctx), ctx.body)
      return ctx.reply(204, undefined)
    },
  }),
]
