/**
 * The mail itself. Mail is read on lock screens and by relays: it says that something waits, how urgent and until when, and never
 * whom it is about or a value. What it says is the rule's title; whoever opens the link signs in.
 */
import type { Priority } from '@careloop/contract'
import MailComposer from 'nodemailer/lib/mail-composer'
import type { Deliverable } from '../workflow/index.ts'
import type { MailSettings } from './mail-settings.ts'

export interface Letter {
  readonly subject: string
  readonly text: string
  readonly html: string
}

const urgency: Readonly<Record<Priority, string>> = {
  high: 'High priority',
  medium: 'Medium priority',
  low: 'Low priority',
}

const because: Readonly<Record<Deliverable['why'], string>> = {
  raised: '',
  recurred: 'It came back.',
  reminder: 'Nobody has taken it yet.',
  overdue: 'Its time limit passed and it is not done: you are told as the next in line.',
  'handed-off': 'A colleague handed it to you.',
  undelivered: 'Whoever should have it could not be reached: you are told as the next in line.',
  'evidence-changed': 'Its readings turned out to be somebody else’s.',
  'review-opened': 'Your office reviews it.',
  'review-overdue': 'It was not closed in time.',
  'access-taken':
    'Somebody outside the care team sees the record of a patient of yours for some hours. Compliance was told.',
}

/** @param timeZone of the subject, in which the limit is told */
export function letterOf(due: Deliverable, timeZone: string, origin: string | null): Letter {
  const title = oneLine(due.title)
  const subject = `${urgency[due.priority]}: ${title}`
  const lines = [
    `${subject}.`,
    because[due.why],
    limitOf(due, timeZone),
    due.createdAt - due.wantedAt > 60_000
      ? `This should have been sent at ${clockTime(due.wantedAt, timeZone)}; the server was down.`
      : '',
  ].filter(Boolean)
  const link = origin === null ? null : `${origin.replace(/\/$/, '')}/${pageOf(due)}`
  const closing =
    'This message names nobody on purpose: sign in to see whom it is about. Careloop is not a primary alarm.'
  const open = link === null ? `Open ${'task' in due.about ? 'your worklist in ' : ''}Careloop.` : `Open: ${link}`
  const anchor = link === null ? open : `<a href="${inHtml(link)}">Open in Careloop</a>`
  return {
    subject,
    text: [...lines, '', open, '', closing, ''].join('\n'),
    html: [...lines.map(inHtml), anchor, `<small>${inHtml(closing)}</small>`]
      .map((line) => `<p>${line}</p>`)
      .join('\n'),
  }
}

/** Where to look. Of emergency access the page would name the patient, in an address: whoever signs in finds it in their pages. */
function pageOf({ about, why }: Deliverable): string {
  if ('task' in about) return `worklist?task=${encodeURIComponent(about.task)}`
  return why === 'access-taken' ? '' : `reviews?review=${encodeURIComponent(about.review)}`
}

/** Nobody has to act on what is told of a patient of theirs; a review has days. */
function limitOf({ about, why, limitMs, dueAt }: Deliverable, timeZone: string): string {
  if (why === 'access-taken') return ''
  if ('task' in about) return `Limit ${inMinutes(limitMs)}, until ${clockTime(dueAt, timeZone)} (${timeZone}).`
  const day = new Date(dueAt).toISOString().slice(0, 10)
  return `To be closed within ${Math.round(limitMs / 3_600_000)} h, until ${day} ${clockTime(dueAt, 'UTC')} (UTC).`
}

/** The whole message as bytes. Its id is that of the intent: mail programs show a repeat as the same message. */
export function composeMessage(
  settings: MailSettings,
  to: string,
  due: Deliverable,
  letter: Letter,
  at: number,
): Promise<Buffer> {
  const host = settings.address.slice(settings.address.indexOf('@') + 1)
  const composer = new MailComposer({
    ...{
      from: settings.from,
      to: { name: '', address: to },
      ...letter,
      date: new Date(at),
      messageId: `<${due.id}@${host}>`,
    },
    priority: due.priority === 'high' ? 'high' : 'normal',
    headers: { 'Auto-Submitted': 'auto-generated', 'X-Auto-Response-Suppress': 'All' },
    // What is shown comes from a rule: it must not make this server read a file or a page.
    ...{ disableFileAccess: true, disableUrlAccess: true },
  })
  return composer.compile().build()
}

/** A title is what somebody wrote into a rule: nothing in it may end a header line. */
const oneLine = (text: string): string =>
  text
    .replace(/[\p{Cc}\p{Cf}\u2028\u2029]+/gu, ' ')
    .replace(/\s+/g, ' ')
    .trim()
    .slice(0, 160)

const inHtml = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;')

function inMinutes(ms: number): string {
  const minutes = Math.round(ms / 60_000)
  return minutes < 120 ? `${minutes} min` : `${Math.round(minutes / 60)} h`
}

const clockTime = (at: number, timeZone: string): string =>
  new Intl.DateTimeFormat('en-GB', { timeZone, hour: '2-digit', minute: '2-digit' }).format(at)
