import { afterAll, beforeAll, expect, test } from 'vitest'
import { type TestEngine, testEngine } from '../engine/testing/index.ts'
import { type Identity, makeIdentity } from './identity.ts'
import { demandsSecondFactor, newSecret } from './second-factor.ts'
import { holdOf } from './session-hold.ts'
import { fromBase32 } from './totp.ts'

let ground: TestEngine
let identity: Identity
beforeAll(async () => {
  ground = await testEngine()
  identity = await makeIdentity(ground.engine, { secureCookies: false, signInsPerMinute: 10, idleLockMs: 1000 })
})
afterAll(() => ground?.stop())

test('second factor > its secret lies in the database as ciphertext that belongs to one person', async () => {
  const tenant = await ground.tenant()
  const person = (email: string) =>
    identity.createUser({
      tenant,
      email,
      displayName: 'Ana',
      roles: ['administrator'],
      password: 'quiet lamps over water',
    })
  const [ana, bo] = [await person('ana@clinic.example'), await person('bo@clinic.example')]
  const secret = newSecret()
  await identity.presetSecondFactor(tenant, ana.id, secret)
  await identity.presetSecondFactor(tenant, bo.id, newSecret())
  const { pool } = ground.engine.db
  const { rows } = await pool.query<{ line: string }>('select t::text as line from auth.second_factor t')
  expect(rows).toHaveLength(2)
  for (const form of [secret, fromBase32(secret)!.toString('hex'), fromBase32(secret)!.toString('base64')])
    expect(rows.some(({ line }) => line.toLowerCase().includes(form.toLowerCase()))).toBe(false)

  // Somebody who may write to the database gives Bo the secret of Ana: it does not open.
  await pool.query('update auth.second_factor b set secret = a.secret from auth.second_factor a where a.user_id = $1', [
    ana.id,
  ])
  const peer = { ip: '10.0.0.1', userAgent: undefined, requestId: ground.engine.ids.uuid() }
  const shown = { email: 'bo@clinic.example', password: 'quiet lamps over water', remember: true }
  const step = await identity.signIn(shown, peer)
  const challenge = step.next === 'second-factor' ? step.challenge : undefined
  await expect(identity.passSecondFactor({ challenge, code: '123456' }, peer)).rejects.toMatchObject({
    code: 'seal-broken',
  })
  await expect(identity.presetSecondFactor(tenant, bo.id, 'TOOSHORT')).rejects.toMatchObject({
    code: 'second-factor-invalid',
  })
})

test('second factor > administrators and compliance need one, whatever else they are; a lock and a password that was handed over come before it', () => {
  expect(demandsSecondFactor(['nurse', 'physician', 'biomed'])).toBe(false)
  expect(demandsSecondFactor(['nurse', 'administrator'])).toBe(true)
  const state = { hasSecondFactor: false, activeAt: 1000, lockedAt: null, isPasswordHandedOver: false } as const
  const standing = { ...state, roles: ['administrator'] } as const
  expect(holdOf(standing, 1999, 1000)).toBe('second-factor-needed')
  expect(holdOf({ ...standing, hasSecondFactor: true }, 1999, 1000)).toBeNull()
  expect(holdOf({ ...standing, roles: ['nurse'] }, 1999, 1000)).toBeNull()
  expect(demandsSecondFactor(['compliance'])).toBe(true)
  expect(holdOf({ ...standing, isPasswordHandedOver: true }, 1999, 1000)).toBe('password-change-needed')
  expect(holdOf({ ...standing, isPasswordHandedOver: true }, 2000, 1000)).toBe('locked')
  expect(holdOf(standing, 2000, 1000)).toBe('locked')
  expect(holdOf({ ...standing, hasSecondFactor: true, lockedAt: 1500 }, 1999, 1000)).toBe('locked')
})
