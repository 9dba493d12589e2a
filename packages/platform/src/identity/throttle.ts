/**
 * Guessing is slowed down, never locked out: after some wrong answers each next one costs a longer wait. Counted are an address, an
 * account from one address, and an account from all addresses from which its person never signed in. So strangers slow themselves
 * down, and together each other, and not the nurse at her own desk: whoever signed in from an address before is counted apart there.
 *
 * An attempt is counted before it is checked, and given back when it was right: answers that come at once cannot slip through.
 */
import { isIPv6 } from 'node:net'
import type { ClientBase } from 'pg'
import type { Engine } from '../engine/index.ts'
import { fail } from './errors.ts'
import type { Secrets } from './secrets.ts'

/** What is guessed at. Each is counted apart: a wrong code does not slow the password down. */
export type GuardedDoor =
  | 'sign-in'
  | 'second-factor'
  | 'unlock'
  | 'setup'
  | 'password'
  | 'step-up'
  | 'invitation'
  | 'activation'

/** Where only somebody with a session of that account can guess: no other account is tried there, so addresses are not counted. */
const isOfSession: Readonly<Record<GuardedDoor, boolean>> = {
  ...{ 'sign-in': false, 'second-factor': false, setup: false, invitation: false, activation: false },
  ...{ unlock: true, password: true, 'step-up': true },
}

export interface Attempt {
  readonly door: GuardedDoor
  /** Peer address as the socket, or a trusted proxy, tells it. */
  readonly ip: string
  /** User id, or what was typed where no user is known yet; null when the door belongs to no account. */
  readonly account: string | null
  /** User id of the account when there is one: from a known address it is not slowed down by strangers. */
  readonly user: string | null
}

export interface Rule {
  /** Wrong answers without a wait. */
  readonly free: number
  /** Wait after the one that used up the free ones; doubles with each further one. */
  readonly firstMs: number
  readonly maxMs: number
  /** All is forgotten so long after the last wrong answer. */
  readonly forgetMs: number
}

export interface Counted {
  readonly failures: number
  readonly lastAt: number
  readonly blockedUntil: number | null
}

const minuteMs = 60_000
export const accountRule: Rule = { free: 5, firstMs: 15_000, maxMs: 15 * minuteMs, forgetMs: 60 * minuteMs }
export const strangersRule: Rule = { free: 20, firstMs: 15_000, maxMs: 15 * minuteMs, forgetMs: 360 * minuteMs }
/** People who have signed in from an address before may together answer wrong so many times as often as strangers there. */
const knownPeople = 10
const addressRule = (perMinute: number): Rule => ({
  ...{ free: perMinute, firstMs: minuteMs, maxMs: minuteMs, forgetMs: minuteMs },
})

/** Pure: what stands after one more attempt, or how long to wait before it. Attempts during the wait are not counted. */
export function countAttempt(before: Counted | null, rule: Rule, now: number): Counted | { readonly waitMs: number } {
  const counts = before === null || now - before.lastAt >= rule.forgetMs ? null : before
  if (counts?.blockedUntil != null && now < counts.blockedUntil) return { waitMs: counts.blockedUntil - now }
  const failures = (counts?.failures ?? 0) + 1
  const over = failures - rule.free
  // 2^30 x 15 s is far beyond any maximum: the exponent is bounded so that it never becomes Infinity.
  const blockedUntil = over < 0 ? null : now + Math.min(rule.maxMs, rule.firstMs * 2 ** Math.min(over, 30))
  return { failures, lastAt: now, blockedUntil }
}

export interface Throttle {
  /** Counts an attempt. @throws Failure `sign-in-throttled` with the time to wait */
  take(attempt: Attempt): Promise<void>
  /** The answer was right: the attempt is taken back, and the account's own count with it. */
  settle(attempt: Attempt): Promise<void>
}

/** @param perMinute wrong answers a minute that one address may give at one door */
export function makeThrottle(engine: Engine, secrets: Secrets, perMinute: number): Throttle {
  const limitsOf = async (client: ClientBase, attempt: Attempt): Promise<Limit[]> => {
    const { door, account, user } = attempt
    const address = addressOf(attempt.ip)
    const limit = (what: string, key: string, rule: Rule, own = false): Limit => ({
      ...{ key: secrets.lookup(what, `${door} ${key}`), rule, own },
    })
    const ofAddress = limit('address', address, addressRule(perMinute))
    if (account === null) return [ofAddress]
    const own = limit('account', `${account} ${address}`, accountRule, true)
    const isKnown = user !== null && (await isKnownAddress(client, secrets, user, address))
    const strangers = isKnown ? [] : [limit('strangers', account, strangersRule)]
    if (isOfSession[door]) return [own, ...strangers]
    // A hospital is one address: who guesses in it, and slips of many hands, must not keep everybody who works there out.
    const ofKnown = limit('known-people', address, addressRule(perMinute * knownPeople))
    return [isKnown ? ofKnown : ofAddress, own, ...strangers]
  }
  return {
    take: (attempt) =>
      engine.db.asEngine(async ({ client }) => {
        const now = engine.clock.now()
        await dropOld(client, now)
        for (const { key, rule } of inOrder(await limitsOf(client, attempt))) await takeOne(client, key, rule, now)
      }),
    settle: (attempt) =>
      engine.db.asEngine(async ({ client }) => {
        for (const { key, own } of inOrder(await limitsOf(client, attempt)))
          await client.query(
            own
              ? 'delete from auth.throttle where key = $1'
              : 'update auth.throttle set failures = greatest(0, failures - 1), blocked_until = null where key = $1',
            [key],
          )
      }),
  }
}

interface Limit {
  readonly key: Buffer
  readonly rule: Rule
  /** Emptied by a right answer. Those of addresses and strangers are not: a right answer in between would pay for more guesses. */
  readonly own: boolean
}

/** Rows are locked in one order, so that two attempts never wait for each other. */
const inOrder = (limits: readonly Limit[]): Limit[] => [...limits].sort((a, b) => Buffer.compare(a.key, b.key))

async function takeOne(client: ClientBase, key: Buffer, rule: Rule, now: number): Promise<void> {
  await client.query('insert into auth.throttle (key, failures, last_at) values ($1, 0, $2) on conflict do nothing', [
    ...[key, new Date(now)],
  ])
  const { rows } = await client.query<{ failures: number; last_at: Date; blocked_until: Date | null }>(
    'select failures, last_at, blocked_until from auth.throttle where key = $1 for update',
    [key],
  )
  const row = rows[0]!
  const before = {
    ...{ failures: row.failures, lastAt: row.last_at.getTime() },
    blockedUntil: row.blocked_until?.getTime() ?? null,
  }
  const after = countAttempt(before, rule, now)
  if ('waitMs' in after) throw throttled(after.waitMs)
  await client.query('update auth.throttle set failures = $2, last_at = $3, blocked_until = $4 where key = $1', [
    ...[key, after.failures, new Date(after.lastAt)],
    after.blockedUntil === null ? null : new Date(after.blockedUntil),
  ])
}

const throttled = (waitMs: number) => {
  const seconds = Math.max(1, Math.ceil(waitMs / 1000))
  const wait = seconds < 90 ? `${seconds} s` : `${Math.ceil(seconds / 60)} min`
  return fail('sign-in-throttled', `Too many wrong attempts. Wait ${wait} and try again.`, {
    retryAfterSeconds: seconds,
  })
}

/** A day after the last wrong answer nothing is left of any rule. A few a time, and never one that somebody holds. */
const dropOld = (client: ClientBase, now: number) =>
  client.query(
    `delete from auth.throttle where key in
       (select key from auth.throttle where last_at < $1 order by last_at limit 20 for update skip locked)`,
    [new Date(now - 1440 * minuteMs)],
  )

/** A household or a provider's customer has a whole /64 of IPv6: it counts as one address. */
export function addressOf(ip: string): string {
  const plain = ip.replace(/^::ffff:(?=\d+\.)/i, '').replace(/%.*$/, '')
  if (!isIPv6(plain)) return plain
  const [head = '', tail] = plain.toLowerCase().split('::')
  const left = head === '' ? [] : head.split(':')
  const right = tail === undefined || tail === '' ? [] : tail.split(':')
  const zeros = tail === undefined ? [] : Array.from({ length: Math.max(0, 8 - left.length - right.length) }, () => '0')
  return `${[...left, ...zeros, ...right]
    .slice(0, 4)
    .map((group) => group.replace(/^0+(?=.)/, ''))
    .join(':')}::/64`
}

/** How long an address stays known after the last sign-in from it. */
const knownMs = 90 * 24 * 60 * minuteMs

async function isKnownAddress(client: ClientBase, secrets: Secrets, user: string, address: string): Promise<boolean> {
  const { rowCount } = await client.query('select from auth.known_address where user_id = $1 and hmac = $2', [
    ...[user, secrets.lookup('known-address', `${user} ${address}`)],
  ])
  return rowCount !== 0
}

/** After a whole sign-in. */
export async function keepAddress(engine: Engine, secrets: Secrets, user: string, ip: string): Promise<void> {
  const now = engine.clock.now()
  const hmac = secrets.lookup('known-address', `${user} ${addressOf(ip)}`)
  await engine.db.pool.query(
    `insert into auth.known_address (user_id, hmac, last_at) values ($1, $2, $3)
     on conflict (user_id, hmac) do update set last_at = excluded.last_at`,
    [user, hmac, new Date(now)],
  )
  await engine.db.pool.query('delete from auth.known_address where user_id = $1 and last_at < $2', [
    ...[user, new Date(now - knownMs)],
  ])
}
