import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type ManualClock, makeManualClock } from '../engine/clock/manual-clock.ts'
import { type TestEngine, testEngine } from '../engine/testing/index.ts'
import { openSecrets, type Secrets } from './secrets.ts'
import {
  type Attempt,
  accountRule,
  addressOf,
  type Counted,
  countAttempt,
  keepAddress,
  makeThrottle,
  type Rule,
  type Throttle,
} from './throttle.ts'

/** The waits that somebody meets who tries at once whenever they may. */
function waits(rule: Rule, tries: number): number[] {
  let [now, counted, met]: [number, Counted | null, number[]] = [0, null, []]
  while (met.length < tries) {
    const after = countAttempt(counted, rule, now)
    if ('waitMs' in after) {
      now += after.waitMs
      met[met.length - 1] = after.waitMs
    } else {
      counted = after
      met = [...met, 0]
    }
  }
  return met.map((ms) => ms / 1000)
}

describe('guessing', () => {
  test('costs more after each wrong answer, up to a quarter of an hour, and never for ever', () => {
    expect(waits(accountRule, 14)).toEqual([0, 0, 0, 0, 15, 30, 60, 120, 240, 480, 900, 900, 900, 0])
  })

  test('is forgotten an hour after the last wrong answer', () => {
    const counted: Counted = { failures: 50, lastAt: 0, blockedUntil: 900_000 }
    expect(countAttempt(counted, accountRule, 899_999)).toEqual({ waitMs: 1 })
    expect(countAttempt(counted, accountRule, 3_600_000)).toEqual({
      ...{ failures: 1, lastAt: 3_600_000, blockedUntil: null },
    })
  })

  test.each([
    ['10.1.2.3', '10.1.2.3'],
    ['::ffff:10.1.2.3', '10.1.2.3'],
    ['2001:DB8::1', '2001:db8:0:0::/64'],
    ['2001:db8:0:0:ffff::2', '2001:db8:0:0::/64'],
    ['2001:0db8:0001:0002:3:4:5:6', '2001:db8:1:2::/64'],
    ['fe80::1%eth0', 'fe80:0:0:0::/64'],
    ['::1', '0:0:0:0::/64'],
  ])('counts %s as %s', (ip, address) => expect(addressOf(ip)).toBe(address))
})

describe('guessing at an account', () => {
  let ground: TestEngine
  let clock: ManualClock
  let secrets: Secrets
  let throttle: Throttle
  beforeAll(async () => {
    clock = makeManualClock(Date.UTC(2026, 0, 1))
    ground = await testEngine({ clock })
    secrets = await openSecrets(ground.engine)
    throttle = makeThrottle(ground.engine, secrets, 1_000)
  })
  afterAll(() => ground?.stop())

  const at = (ip: string, account: string, user: string | null = null): Attempt => ({
    ...{ door: 'sign-in', ip, account, user },
  })
  const refused = expect.objectContaining({ code: 'sign-in-throttled', retryAfterSeconds: expect.any(Number) })
  const tries = async (attempt: Attempt, times: number) => {
    for (let each = 0; each < times; each += 1) await throttle.take(attempt)
  }

  const personAt = async (ip: string): Promise<string> => {
    const user = ground.engine.ids.uuid()
    await ground.engine.db.pool.query('insert into auth.user (id, name, email) values ($1, $2, $3)', [
      ...[user, 'Somebody', `${user}@clinic.example`],
    ])
    await keepAddress(ground.engine, secrets, user, ip)
    return user
  }

  test('of answers that come all at once no more get through than one after another', async () => {
    const all = await Promise.allSettled(Array.from({ length: 12 }, () => throttle.take(at('10.0.0.1', 'all-at-once'))))
    expect(all.filter(({ status }) => status === 'fulfilled')).toHaveLength(accountRule.free)
  })

  test('slows down who guesses, and not the account from elsewhere, another account or another door', async () => {
    const guesser = at('10.0.0.2', 'ana')
    await tries(guesser, 5)
    await expect(throttle.take(guesser)).rejects.toEqual(refused)
    await throttle.take(at('10.0.0.3', 'ana'))
    await throttle.take(at('10.0.0.2', 'bo'))
    await throttle.take({ ...guesser, door: 'unlock' })
    await clock.advance(15_000)
    await throttle.take(guesser)
    await expect(throttle.take(guesser)).rejects.toEqual(refused)
  })

  test('from many addresses at once slows strangers down, and not who comes from where they always come', async () => {
    const user = await personAt('192.168.1.5')
    for (let host = 0; host < 20; host += 1) await throttle.take(at(`10.9.0.${host}`, 'cy', user))
    await expect(throttle.take(at('10.9.1.1', 'cy', user))).rejects.toEqual(refused)
    await throttle.take(at('192.168.1.5', 'cy', user))
  })

  test('a right answer takes its attempt back: nobody is slowed down by signing in often', async () => {
    const one = makeThrottle(ground.engine, secrets, 3)
    for (let each = 0; each < 20; each += 1) {
      await one.take(at('10.0.0.7', 'dee'))
      await one.settle(at('10.0.0.7', 'dee'))
    }
  })

  test('a right answer for one account pays for no guesses at others', async () => {
    const one = makeThrottle(ground.engine, secrets, 3)
    for (const account of ['eve', 'fay', 'gus']) await one.take(at('10.0.0.8', account))
    await expect(one.take(at('10.0.0.8', 'own'))).rejects.toEqual(refused)
    await clock.advance(60_000)
    await one.take(at('10.0.0.8', 'own'))
  })

  test('who guesses behind the address of a hospital keeps nobody out who works there', async () => {
    const one = makeThrottle(ground.engine, secrets, 1)
    const known = await personAt('172.16.0.1')
    await one.take(at('172.16.0.1', 'guess-1'))
    await expect(one.take(at('172.16.0.1', 'guess-2'))).rejects.toEqual(refused)
    // Guessing at the accounts of people who are known there is bounded too, by a wider bound.
    for (let each = 0; each < 10; each += 1) await one.take(at('172.16.0.1', `staff-${each}`, known))
    await expect(one.take(at('172.16.0.1', 'staff-10', known))).rejects.toEqual(refused)
  })

  test('slips of many hands at the lock screens of one address lock nobody out', async () => {
    const one = makeThrottle(ground.engine, secrets, 3)
    const known = await personAt('172.16.0.2')
    for (let each = 0; each < 15; each += 1)
      await one.take({ ...at('172.16.0.2', `nurse-${each}`, known), door: 'unlock' })
    const guesser: Attempt = { ...at('172.16.0.2', 'ida', known), door: 'unlock' }
    await tries(guesser, accountRule.free)
    await expect(throttle.take(guesser)).rejects.toEqual(refused)
  })

  test('leaves nothing of what was typed in the database, and nothing at all after a day', async () => {
    await throttle.take(at('10.0.0.9', 'my password by mistake'))
    const { rows } = await ground.engine.db.pool.query<{ key: Buffer }>('select key from auth.throttle')
    expect(rows.some(({ key }) => key.includes('password'))).toBe(false)
    await clock.advance(25 * 3_600_000)
    for (let each = 0; each < 6; each += 1) await throttle.take(at(`10.7.0.${each}`, `new${each}`))
    const { rows: left } = await ground.engine.db.pool.query('select from auth.throttle where last_at < $1', [
      new Date(clock.now() - 24 * 3_600_000),
    ])
    expect(left).toEqual([])
  })
})
