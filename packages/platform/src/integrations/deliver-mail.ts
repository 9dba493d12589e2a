/**
 * Delivery of one notification by mail, at least once. Three short transactions, none of which waits for the mail server:
 * begin (the timer fires: an attempt is counted, and a timer is set as a net in case that this process ends), hand over (asked again,
 * on an open connection, whether there is still something to tell), end (how it went). Whatever is killed when, either the message is
 * not handed over, or an attempt says that it may have been; the net tries again, and says why.
 */
import type { Engine, EngineTx, FiredTimer, TenantTx } from '../engine/index.ts'
import type { Subjects } from '../subjects/index.ts'
import {
  cancelDeliverable,
  countAttempt,
  type Deliverable,
  emailTimer,
  isReachable,
  lockDeliverable,
  markDelivered,
  markFailed,
  type Ways,
} from '../workflow/index.ts'
import { beginAttempt, endAttempt, lastAttempt, markHanded } from './attempts.ts'
import { attemptsTotal, deliverySeconds, repeatsTotal } from './delivery-metrics.ts'
import { type MailServer, type MailSession, MailTrouble } from './mail-server.ts'
import type { MailSettings } from './mail-settings.ts'
import { composeMessage, letterOf } from './message.ts'
import type { Outcome } from './schema.ts'

/** Longer than any conversation with a mail server lasts: what has not ended by then has no process any more, ms. */
export const netMs = 30_000
/** For one whole conversation, from opening it on, ms. */
const deadlineMs = 20_000
/** Waits between attempts, ms; the last one goes on for as long as the task is open. */
const backoffMs = [5_000, 15_000, 45_000, 120_000, 300_000] as const
/** After this many attempts in vain the next step of escalation is told. */
const failuresUntilTold = 4

export type Fault = (moment: 'begun' | 'handed' | 'accepted') => void | Promise<void>

export interface MailParts {
  readonly engine: Engine
  readonly subjects: Pick<Subjects, 'names'>
  readonly ways: Pick<Ways, 'staff'>
  readonly settings: MailSettings
  readonly server: MailServer
  /** For tests: dies there. */
  readonly fault?: Fault
}

export interface Begun {
  readonly tenant: string
  readonly intent: string
  readonly number: number
}

/** The timer fired, in its transaction. @returns what is to be sent once that is committed; null = nothing any more */
export async function beginDelivery(parts: MailParts, fired: FiredTimer, tx: EngineTx): Promise<Begun | null> {
  const { engine } = parts
  const { tenant, intent } = fired.ids as { tenant: string; intent: string }
  return tx.asTenant(tenant, async (tenantTx) => {
    const cutOff = await endCutOff(engine, tenantTx, intent)
    const due = await lockDeliverable(engine, tenantTx, intent)
    if (due === null) return null
    const number = await countAttempt(tenantTx, due, cutOff)
    await beginAttempt(tenantTx, intent, number, engine.clock.now())
    await tryAgain(engine, tenantTx, intent, netMs)
    return { tenant, intent, number }
  })
}

const tryAgain = (engine: Engine, tx: TenantTx, intent: string, inMs: number): Promise<void> =>
  engine.timers.set(tx, emailTimer, {
    ...{ key: intent, at: engine.clock.now() + inMs, ids: { tenant: tx.tenant, intent } },
  })

const repeatWords = {
  stopped: 'Sent again because the server stopped, or lost its database, after handing it to the mail server.',
  silent: 'Sent again because the mail server did not say whether it took it.',
} as const

/** An attempt that nobody ended belongs to a process that is gone. @returns why what follows may be a repeat, or null */
async function endCutOff(engine: Engine, tx: TenantTx, intent: string): Promise<string | null> {
  const last = await lastAttempt(tx, intent)
  if (last === undefined) return null
  if (last.outcome !== null) return last.outcome === 'unknown' ? repeated(engine, tx, repeatWords.silent) : null
  const outcome = last.handed_at === null ? 'interrupted' : 'unknown'
  await end(engine, tx, { intent, number: last.number }, outcome, 'the server stopped')
  return outcome === 'unknown' ? repeated(engine, tx, repeatWords.stopped) : null
}

function repeated(engine: Engine, tx: TenantTx, words: string): string {
  tx.afterCommit(() => repeatsTotal(engine.watch.metrics).inc())
  return words
}

async function end(
  engine: Engine,
  tx: TenantTx,
  { intent, number }: Pick<Begun, 'intent' | 'number'>,
  outcome: Outcome,
  detail: string | null = null,
): Promise<void> {
  await endAttempt(tx, intent, number, { at: engine.clock.now(), outcome, detail })
  tx.afterCommit(() => attemptsTotal(engine.watch.metrics).inc({ outcome }))
}

/** Sends what was begun. Fails only when the database is away: then the net goes on. */
export async function deliver(parts: MailParts, begun: Begun): Promise<void> {
  await parts.fault?.('begun')
  try {
    await converse(parts, begun)
  } catch (error) {
    if (!(error instanceof MailTrouble)) throw error
    await fail(parts, begun, error)
  }
}

async function converse(parts: MailParts, begun: Begun): Promise<void> {
  const { engine, server, settings } = parts
  const late = new AbortController()
  const deadline = engine.clock.sleep(deadlineMs, late.signal)
  const session = await openInTime(server, deadline, late.signal)
  void deadline.then(() => late.signal.aborted || session.close())
  let isGood = false
  try {
    const letter = await handOver(parts, begun)
    if (letter !== null) {
      await parts.fault?.('handed')
      await session.send(settings.address, letter.to, letter.message)
      await parts.fault?.('accepted')
      await succeed(engine, begun, letter.due)
    }
    isGood = true
  } finally {
    late.abort()
    if (isGood) session.release()
    else session.close()
  }
}

async function openInTime(server: MailServer, deadline: Promise<void>, isOver: AbortSignal): Promise<MailSession> {
  const opening = server.session()
  let isLate = false
  // Whoever comes too late is sent away.
  opening.then(
    (session) => isLate && session.close(),
    () => {},
  )
  return Promise.race([
    opening,
    deadline.then((): never => {
      isLate = !isOver.aborted
      throw new MailTrouble('unreachable', 'no answer in time')
    }),
  ])
}

interface Addressed {
  readonly to: string
  readonly message: Buffer
  readonly due: Deliverable
}

/** The mail server is ready: is there still something to tell, and to whom? From the commit on it may have the message. */
async function handOver(parts: MailParts, { tenant, intent, number }: Begun): Promise<Addressed | null> {
  const { engine, settings } = parts
  const staff = await parts.ways.staff(tenant)
  const found = await engine.db.asTenant(tenant, async (tx) => {
    const due = await lockDeliverable(engine, tx, intent)
    // Another process took over after the net had fired: this attempt was given up for lost.
    if (due !== null && due.attempts !== number) return null
    const person = staff.find(({ id }) => id === due?.recipient)
    if (due === null || person === undefined || !isReachable(person, 'email')) {
      await end(engine, tx, { intent, number }, 'withdrawn', due === null ? null : 'no address')
      await engine.timers.cancel(tx, emailTimer, intent)
      if (due !== null) await cancelAsUnreachable(engine, tx, due)
      return null
    }
    await markHanded(tx, intent, number, engine.clock.now())
    return { due, to: person.email }
  })
  if (found === null) return null
  const letter = letterOf(found.due, await timeZoneOf(parts, tenant, found.due), settings.origin)
  return { ...found, message: await composeMessage(settings, found.to, found.due, letter, engine.clock.now()) }
}

/** Of the subject, for a task; a review has no place of its own. */
async function timeZoneOf({ subjects }: MailParts, tenant: string, { about }: Deliverable): Promise<string> {
  if ('review' in about) return 'UTC'
  return (await subjects.names(tenant, [about.subject])).get(about.subject)?.timeZone ?? 'UTC'
}

/** They left, or their address was taken away, since the intent was made. */
async function cancelAsUnreachable(engine: Engine, tx: TenantTx, due: Deliverable): Promise<void> {
  await cancelDeliverable(engine, tx, due, 'no-address')
  if ('task' in due.about) await tx.publish({ type: 'DeliveryFailed', intent: due.id, task: due.about.task })
}

async function succeed(engine: Engine, { tenant, intent, number }: Begun, due: Deliverable): Promise<void> {
  await engine.db.asTenant(tenant, async (tx) => {
    await end(engine, tx, { intent, number }, 'accepted')
    await markDelivered(engine, tx, intent)
    await engine.timers.cancel(tx, emailTimer, intent)
  })
  deliverySeconds(engine.watch.metrics).observe((engine.clock.now() - due.createdAt) / 1000)
}

async function fail({ engine }: MailParts, { tenant, intent, number }: Begun, trouble: MailTrouble): Promise<void> {
  const { kind: outcome, message: detail } = trouble
  await engine.db.asTenant(tenant, async (tx) => {
    await end(engine, tx, { intent, number }, outcome, detail)
    const due = await lockDeliverable(engine, tx, intent)
    if (due === null) return engine.timers.cancel(tx, emailTimer, intent)
    if (due.attempts !== number) return
    const givesUp = trouble.isFinal || number >= failuresUntilTold
    await markFailed(engine, tx, due, `${outcome}: ${detail}`, givesUp)
    // A task goes on to the next in line; of a review everybody of its office was told already.
    if (givesUp && !due.isGivenUp && 'task' in due.about)
      await tx.publish({ type: 'DeliveryFailed', intent, task: due.about.task })
    const wait = trouble.isFinal ? backoffMs.at(-1)! : backoffMs[Math.min(number, backoffMs.length) - 1]!
    await tryAgain(engine, tx, intent, wait)
    const told = { tenant, intent, ...due.about, attempt: number, outcome, detail, nextTryInMs: wait }
    engine.watch.log[givesUp ? 'error' : 'warn'](
      told,
      'a notification could not be given to the mail server; trying again',
    )
  })
}
