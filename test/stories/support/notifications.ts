/** Who was told of the tasks of a story, and how often, judged by what the database and the mail server have in the end. */
import type { Engine } from '../../../packages/platform/src/engine/index.ts'
import type { Mail } from '../../../packages/platform/src/integrations/testing/post-office.ts'
import type { Clinic } from './ground.ts'

export interface ToldTask {
  readonly id: string
  readonly subject: string
  readonly owner: string
  readonly events: readonly TaskEvent[]
  readonly intents: readonly Intent[]
}

interface TaskEvent {
  readonly id: string
  readonly what: string
  readonly at: number
  readonly toStaff: readonly string[]
}

export interface Intent {
  readonly id: string
  readonly event: string
  readonly recipient: string
  readonly channel: 'in-app' | 'email'
  readonly step: number
  readonly why: string
  readonly createdAt: number
  readonly wantedAt: number
  readonly delivered: boolean
  readonly cancelled: string | null
  readonly repeated: string | null
  readonly attempts: readonly Attempt[]
}

interface Attempt {
  readonly number: number
  readonly handedAt: number | null
  readonly outcome: string | null
}

export const readTold = (engine: Engine, { tenant }: Clinic): Promise<ToldTask[]> =>
  engine.db.asTenant(tenant, async (tx) => {
    const rows = async <T extends object>(sql: string) => (await tx.client.query<T>(sql)).rows
    const tasks = await rows<Pick<ToldTask, 'id' | 'subject' | 'owner'>>(
      'select id, subject_id as subject, owner_id as owner from tenant.task order by opened_at, id',
    )
    const events = await rows<TaskEvent & { task: string }>(
      `select task_id as task, id, what, at::float8 as at, to_staff as "toStaff" from tenant.task_event order by id`,
    )
    const intents = await rows<Omit<Intent, 'attempts'> & { task: string }>(
      `select task_id as task, id, event_id as event, recipient, channel, step, why, created_at::float8 as "createdAt",
          wanted_at::float8 as "wantedAt", delivered_at is not null as delivered, cancelled, repeated
        from tenant.notification_intent order by created_at, id`,
    )
    const attempts = await rows<Attempt & { intent: string }>(
      `select intent_id as intent, number, handed_at::float8 as "handedAt", outcome from tenant.delivery_attempt order by number`,
    )
    const eventsOf = Map.groupBy(events, ({ task }) => task)
    const intentsOf = Map.groupBy(intents, ({ task }) => task)
    const attemptsOf = Map.groupBy(attempts, ({ intent }) => intent)
    return tasks.map((task) => ({
      ...{ ...task, events: eventsOf.get(task.id) ?? [] },
      intents: (intentsOf.get(task.id) ?? []).map((one) => ({ ...one, attempts: attemptsOf.get(one.id) ?? [] })),
    }))
  })

/** The intent that a Message-ID names. */
export const idOf = (messageId: string): string => messageId.replace(/^<|@.*$/g, '')

/** Nothing is to be sent any more. */
export const isAllTold = (tasks: readonly ToldTask[]): boolean =>
  tasks.every(({ intents }) => intents.every(({ delivered, cancelled }) => delivered || cancelled !== null))

export interface JudgedNotifications {
  /** In words; empty when every promise of docs/notifications.md was kept. */
  readonly wrong: readonly string[]
  /** Mails that came although the same had come. */
  readonly repeats: number
}

export function judgeTold(tasks: readonly ToldTask[], mails: readonly Mail[]): JudgedNotifications {
  const received = Map.groupBy(mails, ({ messageId }) => idOf(messageId))
  const wrong = tasks.flatMap((task) => [...intentsWrong(task), ...deliveriesWrong(task, received)])
  const known = new Set(tasks.flatMap(({ intents }) => intents.map(({ id }) => id)))
  for (const id of received.keys()) if (!known.has(id)) wrong.push(`a mail came that no intent stands for: ${id}`)
  const repeats = [...received.values()].reduce((sum, same) => sum + same.length - 1, 0)
  return { wrong, repeats }
}

/** One for each transition, recipient, way and step: none is missing, double, or of something that did not happen. */
function intentsWrong(task: ToldTask): string[] {
  const key = (event: string, recipient: string, channel: string, step: number, why: string) =>
    [event, recipient, channel, step, why].join(' ')
  let escalated = 0
  const wanted = task.events.flatMap(({ id, what, toStaff }) =>
    (['in-app', 'email'] as const).flatMap((channel) => {
      if (what === 'opened') return [key(id, task.owner, channel, 0, 'raised')]
      if (what === 'recurred') return [key(id, task.owner, channel, 0, 'recurred')]
      if (what !== 'escalated') return []
      if (channel === 'in-app') escalated++
      return toStaff.map((person) => key(id, person, channel, escalated, 'overdue'))
    }),
  )
  const made = task.intents.map((one) => key(one.event, one.recipient, one.channel, one.step, one.why))
  return [
    ...wanted.filter((one) => !made.includes(one)).map((one) => `task ${task.id}: nobody was to be told: ${one}`),
    ...made.filter((one) => !wanted.includes(one)).map((one) => `task ${task.id}: told of nothing: ${one}`),
    ...made.filter((one, at) => made.indexOf(one) !== at).map((one) => `task ${task.id}: intended twice: ${one}`),
  ]
}

function deliveriesWrong(task: ToldTask, received: ReadonlyMap<string, readonly Mail[]>): string[] {
  return task.intents.flatMap((intent) => {
    const mails = received.get(intent.id)?.length ?? 0
    const handed = intent.attempts.filter(({ handedAt }) => handedAt !== null)
    const last = intent.attempts.at(-1)
    const untold = intent.attempts.slice(0, -1).filter(({ outcome }) => !cutOff.includes(outcome ?? 'not ended'))
    const said: readonly (readonly [boolean, string])[] = [
      [!intent.delivered && intent.cancelled === null, 'neither delivered nor cancelled'],
      [intent.channel === 'in-app' && (intent.attempts.length > 0 || mails > 0), 'of the pages went by mail'],
      [intent.channel === 'email' && intent.delivered && mails === 0, 'delivered, and never came'],
      [intent.channel === 'email' && intent.delivered && last?.outcome !== 'accepted', 'delivered by no attempt'],
      [mails > handed.length, `came ${mails} times, and was handed over ${handed.length} times by the attempts`],
      [mails > 1 && intent.repeated === null, 'came again without a reason on record'],
      [untold.length > 0, `tried again after attempts that ended ${untold.map(({ outcome }) => outcome).join()}`],
      [handed.some(({ handedAt }) => handedAt! > handledAt(task, intent)), 'handed over after somebody had acted'],
    ]
    return said.flatMap(([isWrong, words]) =>
      isWrong ? [`${intent.channel} ${intent.why} ${intent.step} ${intent.id}: ${words}`] : [],
    )
  })
}

/** Only what a kill cut off is a reason to try again here: the mail server of the story is always there. */
const cutOff: readonly string[] = ['unknown', 'interrupted']

/** When somebody said that they are on it, after what the intent tells; ms. */
const handledAt = ({ events }: ToldTask, { event }: Intent): number =>
  events.find(({ id, what }) => Number(id) > Number(event) && ['claimed', 'acknowledged', 'completed'].includes(what))
    ?.at ?? Number.POSITIVE_INFINITY
