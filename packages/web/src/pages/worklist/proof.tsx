/** What was done, by whom; the rule with version and owner; the bytes that prove the readings. */
import type { AlertEventBody, ExplainBody, StaffRef, TaskBody, TaskEventBody } from '@careloop/contract'
import { Text, Title } from '@mantine/core'
import { useRef } from 'react'
import { useNow } from '../../app/clock.ts'
import { useKeys } from '../../app/use-keys.ts'
import { bytesText, countText, momentText, spanText } from '../../parts/words.ts'
import classes from './worklist.module.css'

interface Told {
  readonly at: number
  readonly words: string
  readonly by?: StaffRef | undefined
}

const alertWords: Readonly<Record<AlertEventBody['what'], string>> = {
  raised: 'Alert raised',
  cleared: 'In range again',
  recurred: 'It came back',
  'evidence-changed': 'Readings came late and changed the evidence',
  'found-late': 'Found late',
  'wrong-subject': 'It was raised on the wrong person: the device was on somebody else',
  'right-subject': 'Raised on the right person after the correction',
  acknowledged: 'Acknowledged',
  released: 'No longer acknowledged',
  closed: 'Alert closed',
  reopened: 'Alert open again',
}
const whyWords = { 'no-longer-watched': 'No longer watched: the enrolment ended or the rule went' } as const
/** Of one task event, with the people it names. */
function taskWords({ what, to, from, note }: TaskEventBody): string {
  const names = (to ?? []).map(({ name }) => name).join(', ')
  const said = note === undefined ? '' : `: “${note}”`
  switch (what) {
    case 'opened':
      return 'Task opened'
    case 'recurred':
      return 'Task renewed'
    case 'evidence-changed':
      return 'Its evidence changed'
    case 'claimed':
      return from === undefined ? 'Claimed' : `Taken over from ${from.name}`
    case 'acknowledged':
      return 'Acknowledged'
    case 'released':
      return 'Given back'
    case 'snoozed':
      return 'Snoozed'
    case 'handed-off':
      return names === '' ? `Handed off${said}` : `Handed off to ${names}${said}`
    case 'escalated':
      return names === '' ? 'Escalated' : `Escalated: ${names} told`
    case 'completed':
      return 'Completed'
    case 'reopened':
      return 'Opened again'
  }
}

/** Claiming acknowledges, completing closes: said once, with the person's name, by the task. */
const saidByTask: readonly AlertEventBody['what'][] = ['acknowledged', 'closed', 'released', 'reopened']

export function Story({ task, explain }: { task: TaskBody; explain: ExplainBody }) {
  const now = useNow()
  const told: Told[] = [
    ...explain.events
      .filter(({ what }) => !saidByTask.includes(what))
      .map(({ what, why, at, by }) => ({ at, words: why === undefined ? alertWords[what] : whyWords[why], by })),
    ...task.events.map((event) => ({ at: event.at, words: taskWords(event), by: event.by })),
  ].sort((a, b) => a.at - b.at)
  return (
    <section className={classes.section} aria-labelledby="done">
      <Title order={3} id="done">
        What was done
      </Title>
      <ol className={classes.story}>
        {told.map(({ at, words, by }) => (
          <li key={`${at}/${words}`}>
            <Text component="span" c="dimmed" className="nowrap">
              {momentText(at, now, true)}
            </Text>{' '}
            {words}
            {by === undefined ? '' : ` by ${by.name}`}
          </li>
        ))}
      </ol>
    </section>
  )
}

export function Rule({ explain: { rule, program } }: { explain: ExplainBody }) {
  return (
    <section className={classes.section} aria-labelledby="rule">
      <Title order={3} id="rule">
        The rule
      </Title>
      <dl className={classes.facts}>
        <dt>Rule</dt>
        <dd>
          {rule.title}, version {rule.version}
        </dd>
        <dt>Condition</dt>
        <dd>{rule.condition}</dd>
        <dt>Program</dt>
        <dd>{program.title}</dd>
        <dt>Owner</dt>
        <dd>
          {rule.ownerRole}, backup {rule.backupRole}
        </dd>
        <dt>Time limit</dt>
        <dd>{spanText(rule.limitMs)}</dd>
      </dl>
    </section>
  )
}

/** From the alert to the bytes a device sent. */
export function Lineage({ explain: { frames } }: { explain: ExplainBody }) {
  const now = useNow()
  const details = useRef<HTMLDetailsElement>(null)
  const toggle = () => {
    if (details.current === null) return false
    details.current.open = !details.current.open
    details.current.scrollIntoView({ block: 'nearest' })
    details.current.querySelector('summary')?.focus()
    return true
  }
  useKeys({ x: toggle })
  if (frames.length === 0) return null
  return (
    <section className={classes.section}>
      <details ref={details}>
        <summary>As the device sent it: {countText(frames.length, 'message')}</summary>
        {frames.map((frame) => (
          <dl key={`${frame.address.partition}/${frame.address.position}`} className={classes.facts}>
            <dt>Received</dt>
            <dd>
              {momentText(frame.receivedAt, now, true)} by {frame.door}, {bytesText(frame.sizeBytes)}, log position{' '}
              {frame.address.position}
            </dd>
            <dt>SHA-256</dt>
            <dd>
              <code>{frame.sha256}</code>
            </dd>
          </dl>
        ))}
      </details>
    </section>
  )
}
