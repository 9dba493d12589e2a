/** What was told of a task, to whom, by which way, as Communication: that it was told, and nothing of what it said. */
import type { Priority } from '@careloop/contract'
import { concept, type Derived, iso, practitioner } from '../../clinical/index.ts'
import { type IntentRow, toMs } from '../schema.ts'
import type { TaskSource } from './task-sources.ts'

export interface ToldOf {
  /** Reference to the patient; null = it is of a place or a thing. */
  readonly about: object | null
  /** Account by user. */
  readonly caregivers: ReadonlyMap<string, string>
  readonly whose: Pick<Derived, 'subject' | 'signals' | 'program'>
}

export const communicationsOf = ({ row, intents }: TaskSource, told: ToldOf): Derived[] =>
  intents.map((intent) => ({ resource: communicationOf(row.id, intent, told), ...told.whose, at: changedAt(intent) }))

/** ms: when something of it happened last. */
const changedAt = ({ created_at, delivered_at, failed_at, cancelled_at, seen_at }: IntentRow): number =>
  Math.max(
    ...[created_at, delivered_at, failed_at, cancelled_at, seen_at].flatMap((at) => (at === null ? [] : toMs(at))),
  )

const priorities: Readonly<Record<Priority, string>> = { high: 'stat', medium: 'urgent', low: 'routine' }

const media = {
  email: concept({ system: 'http://terminology.hl7.org/CodeSystem/v3-ParticipationMode', code: 'EMAILWRIT' }, 'E-mail'),
  'in-app': concept(
    { system: 'http://terminology.hl7.org/CodeSystem/v3-ParticipationMode', code: 'ELECTRONIC' },
    'Pages',
  ),
}

function communicationOf(task: string, intent: IntentRow, { about, caregivers }: ToldOf) {
  const { id, recipient, channel, why, priority, cancelled, delivered_at, seen_at } = intent
  const account = caregivers.get(recipient)
  return {
    ...{ resourceType: 'Communication', id, basedOn: [{ reference: `Task/${task}` }] },
    status: cancelled !== null ? 'not-done' : delivered_at !== null ? 'completed' : 'in-progress',
    ...(cancelled === null ? {} : { statusReason: { text: cancelled } }),
    category: [
      concept({ system: 'http://terminology.hl7.org/CodeSystem/communication-category', code: 'notification' }),
    ],
    ...{ priority: priorities[priority], medium: [media[channel]] },
    ...(about === null ? {} : { subject: about }),
    topic: { text: why },
    ...(delivered_at === null ? {} : { sent: iso(toMs(delivered_at)) }),
    ...(seen_at === null ? {} : { received: iso(toMs(seen_at)) }),
    recipient: [account === undefined ? practitioner(recipient) : { reference: `RelatedPerson/${account}` }],
  }
}
