import { createLocalJWKSet, jwtVerify } from 'jose'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type ManualClock, makeManualClock } from '../../engine/clock/manual-clock.ts'
import type { Engine } from '../../engine/index.ts'
import { testGround } from '../../engine/testing/index.ts'
import { makeIdTokens } from './id-token.ts'

let clock: ManualClock
let ground: Awaited<ReturnType<typeof testGround>>
beforeAll(async () => {
  clock = makeManualClock(Date.UTC(2026, 10, 23))
  ground = await testGround({ clock })
})
afterAll(() => ground?.stop())

const dayMs = 86_400_000
const claims = { issuer: 'https://care.example.org', client: 'c', user: 'u', authTime: 0 }

test('identity > keys of id_tokens change after 90 days, and the one before is published for a day more', async () => {
  const key = await ground.keys.keyFor('auth', 'smart')
  const engine = ground as unknown as Engine
  const [here, elsewhere] = [makeIdTokens(engine, key), makeIdTokens(engine, key)]
  // Two processes that find no key at the same moment make one.
  const [early, other] = await Promise.all([here.sign(claims), elsewhere.sign(claims)])
  const first = (await here.keys()).keys
  expect(first).toHaveLength(1)
  const verify = async (token: string, keys: typeof first) =>
    (await jwtVerify(token, createLocalJWKSet({ keys }), { currentDate: new Date(clock.now()) })).protectedHeader.kid
  expect(await verify(early, first)).toBe(await verify(other, first))
  await clock.advance(90 * dayMs)
  const late = await here.sign(claims)
  const both = (await elsewhere.keys()).keys
  expect(both.map(({ kid }) => kid)).toEqual([await verify(late, both), first[0]!.kid])
  expect(JSON.stringify(both)).not.toContain('"d"')
  await clock.advance(dayMs + 1)
  expect((await here.keys()).keys.map(({ kid }) => kid)).toEqual([both[0]!.kid])
  const { rows } = await ground.pool.query('select private_jwk from auth.app_signing_key')
  expect(rows.map(({ private_jwk }) => String(private_jwk)).join()).not.toContain('"kty"')
})
