/** Sign-in by a passkey, alone or after the password. A challenge and its answer belong together by a cookie that no script reads. */
import { PasskeyOptions, PasskeySignIn, PasskeyStep, SignedIn } from '@careloop/contract'
import type { Identity } from './identity.ts'
import { passkeyChallengeMs } from './passkey-challenge.ts'
import { defineRoute, type Route } from './route.ts'
import {
  challengeCookie,
  cookieNamed,
  cookiesOf,
  passkeyCookie,
  peerOf,
  shortCookie,
  shown,
} from './sign-in-cookies.ts'

const secret = { 'cache-control': 'no-store' }

export const signInPasskeyRoutes = (identity: Identity): Route[] => [
  defineRoute({
    method: 'POST',
    url: '/api/auth/sign-in/passkey/begin',
    summary: 'A challenge for a passkey alone; it names nobody',
    tag: 'sign-in',
    policy: 'public',
    perMinute: 120,
    response: { 200: PasskeyOptions },
    async handler(ctx) {
      const { options, token } = await identity.beginPasskeySignIn(peerOf(ctx))
      const cookie = shortCookie(identity, passkeyCookie, token, passkeyChallengeMs)
      return ctx.reply(200, { options }, { headers: { ...secret, 'set-cookie': [cookie] } })
    },
  }),
  defineRoute({
    method: 'POST',
    url: '/api/auth/sign-in/passkey',
    summary: 'Sign in by a passkey alone; sets the session cookie',
    tag: 'sign-in',
    policy: 'public',
    perMinute: 120,
    body: PasskeySignIn,
    maxBodyBytes: 32_768,
    response: { 200: SignedIn },
    async handler(ctx) {
      const { passkey, rememberMe: remember } = ctx.body
      const token = cookieNamed(ctx.headers.cookie, identity, passkeyCookie)
      const step = await identity.signInByPasskey({ token, passkey, remember }, peerOf(ctx))
      const cookies = cookiesOf(identity, step)
      return ctx.reply(200, shown(step), {
        headers: { 'set-cookie': [...cookies, shortCookie(identity, passkeyCookie, '', 0)] },
      })
    },
  }),
  defineRoute({
    method: 'POST',
    url: '/api/auth/sign-in/second-factor/passkey/begin',
    summary: 'The second step: a challenge for a passkey of who has given the password',
    tag: 'sign-in',
    policy: 'public',
    perMinute: 120,
    response: { 200: PasskeyOptions },
    async handler(ctx) {
      const challenge = cookieNamed(ctx.headers.cookie, identity, challengeCookie)
      const options = await identity.beginPasskeyStep(challenge, peerOf(ctx))
      return ctx.reply(200, { options }, { headers: secret })
    },
  }),
  defineRoute({
    method: 'POST',
    url: '/api/auth/sign-in/second-factor/passkey',
    summary: 'The second step by a passkey; sets the session cookie',
    tag: 'sign-in',
    policy: 'public',
    perMinute: 120,
    body: PasskeyStep,
    maxBodyBytes: 32_768,
    response: { 200: SignedIn },
    async handler(ctx) {
      const challenge = cookieNamed(ctx.headers.cookie, identity, challengeCookie)
      const step = await identity.passPasskeyStep({ challenge, passkey: ctx.body.passkey }, peerOf(ctx))
      return ctx.reply(200, shown(step), { headers: { 'set-cookie': cookiesOf(identity, step) } })
    },
  }),
]
