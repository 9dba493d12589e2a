/** One notification in words: whom, how, why, and what became of it. */
import type { NotificationBody } from '@careloop/contract'
import { countText, momentText } from '../../parts/words.ts'

const why: Readonly<Record<NotificationBody['why'], string>> = {
  raised: 'the alert was raised',
  recurred: 'the condition came back',
  reminder: 'a reminder: nobody had acknowledged it',
  overdue: 'its time limit passed',
  'handed-off': 'a colleague handed it over',
  'evidence-changed': 'its readings were of somebody else, or came back',
  'review-opened': 'to review',
  'review-overdue': 'not reviewed in time',
  'access-taken': 'emergency access was taken',
  undelivered: 'a message to somebody else could not be delivered',
}

const channel: Readonly<Record<NotificationBody['channel'], string>> = { 'in-app': 'in Careloop', email: 'by e-mail' }

const notSent: Readonly<Record<NonNullable<NotificationBody['cancelled']>, string>> = {
  acknowledged: 'not sent: it was acknowledged first',
  completed: 'not sent: it was completed first',
  passed: 'not sent: the condition had passed',
  'no-address': 'not sent: there is no address',
  replaced: 'not sent: a newer one took its place',
  'no-consent': 'not told: the patient does not share this with them any more',
}

/** `Nora Nurse, in Careloop: the alert was raised; seen 10:03`. */
export function toldWords(item: NotificationBody, now: number): string {
  const who = item.to?.name ?? 'You'
  return `${who}, ${channel[item.channel]}: ${why[item.why]}; ${outcome(item, now)}`
}

function outcome(item: NotificationBody, now: number): string {
  const { cancelled, deliveredAt, seenAt, attempts, wantedAt, failedAt } = item
  if (cancelled !== undefined) return notSent[cancelled]
  const late = wantedAt === undefined ? '' : `, late: it should have gone at ${momentText(wantedAt, now)}`
  if (deliveredAt === undefined) {
    const tried = attempts > 0 ? `on its way, tried ${countText(attempts, 'time')}` : 'on its way'
    return failedAt === undefined ? `${tried}${late}` : `not delivered since ${momentText(failedAt, now)}, still tried`
  }
  const reached = seenAt === undefined ? 'delivered' : `seen ${momentText(seenAt, now)}`
  return `${reached}${again(item)}${late}`
}

/** At least once, never zero: after a crash or a lost answer it is sent again, and that is said. */
function again({ attempts, repeated }: NotificationBody): string {
  if (repeated !== undefined) return `, sent ${countText(attempts, 'time')}. ${repeated}`
  return attempts > 1 ? `, at attempt ${attempts}` : ''
}
