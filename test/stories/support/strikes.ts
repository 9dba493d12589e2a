/** Kill -9 of somebody at a moment that hurts. */
import type { HeldAnswer, PostOffice } from '../../../packages/platform/src/integrations/testing/post-office.ts'
import { type Aim, COMMITTING, type Obstruction, SEALING, TAKING_IN } from './aim.ts'
import type { Ground } from './ground.ts'
import { clusterOf, signal } from './processes.ts'
import { sleep } from './wait.ts'

export const VICTIMS = ['server', 'database', 'one backend', 'server and database'] as const
export type Victim = (typeof VICTIMS)[number]

export const MOMENTS = [
  'a commit has begun',
  'readings are sealed',
  'readings are taken in',
  'an alert is written',
  'a task is opened',
  'somebody is to be told',
  'a mail is begun',
  'a mail was accepted',
  'a mail was accepted, and its reader acts',
  'timers come due meanwhile',
  'any',
] as const
export type Moment = (typeof MOMENTS)[number]

/** Statements that are seen by looking again and again. */
const SEEN: Partial<Record<Moment, string>> = {
  'a commit has begun': COMMITTING,
  'readings are sealed': SEALING,
  'readings are taken in': TAKING_IN,
}
/** Transactions too short to be seen: the table that they write is locked, so that they stand in their middle. */
const OBSTRUCTED: Partial<Record<Moment, string>> = {
  'an alert is written': 'tenant.alert_event',
  'a task is opened': 'tenant.task_event',
  'somebody is to be told': 'tenant.notification_intent',
  'a mail is begun': 'tenant.delivery_attempt',
}

/** What lies in wait for the moment, laid before that is brought about. */
export interface Ambush {
  readonly aim: Aim
  readonly moment: Moment
  readonly obstruction: Obstruction | null
  readonly answer: HeldAnswer | null
}

export async function layAmbush(aim: Aim, office: PostOffice, moment: Moment): Promise<Ambush> {
  const table = OBSTRUCTED[moment]
  const isOfMail = moment.startsWith('a mail was accepted')
  return {
    ...{ aim, moment, obstruction: table === undefined ? null : await aim.obstruct(table) },
    // A page that no other one replaces before it is repeated.
    answer: isOfMail ? office.holdAnswer(({ raw }) => raw.includes('severely high')) : null,
  }
}

export interface Struck {
  /** How many were killed. */
  readonly kills: number
  /** How long after the moment began, in words. */
  readonly when: string
  /** Message-ID of the mail that was accepted and whose sender could not say so any more. */
  readonly mail: string | null
}

/** Kills as soon as the moment has come, or up to 20 ms later. */
export async function strike(ground: Ground, victim: Victim, ambush: Ambush, random: () => number): Promise<Struck> {
  const { aim, moment, obstruction, answer } = ambush
  const mail = answer === null ? null : (await answer.taken).messageId
  if (mail === null && SEEN[moment] === undefined && obstruction === null) await sleep(random() * 800)
  const where = obstruction?.standsThere ?? SEEN[moment] ?? `application_name like 'careloop-%'`
  const backend = await aim.backend(where)
  if (backend === undefined) throw new Error(`nothing was seen to happen: ${moment}`)
  // For half of the strikes at once, in the middle of what stands still; else a little after it went on: about its commit.
  const later = random() < 0.5 ? 0 : random() * 20
  if (later > 0) {
    await obstruction?.letGo()
    await sleep(later)
  }
  await kill(ground, victim, backend)
  await obstruction?.letGo()
  answer?.answer()
  return { kills: victim === 'server and database' ? 2 : 1, when: `${later.toFixed(1)} ms later`, mail }
}

async function kill({ server }: Ground, victim: Victim, backend: number): Promise<void> {
  if (victim === 'one backend') signal(backend, 'SIGKILL')
  if (victim === 'database' || victim === 'server and database')
    for (const pid of clusterOf(server.postmaster())) signal(pid, 'SIGKILL')
  if (victim === 'server' || victim === 'server and database') await server.stop('SIGKILL')
}
