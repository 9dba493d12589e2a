/** What was done, by whom; the rule with version and owner; the bytes that prove the readings. */
import type { AlertEventBody, ExplainBody, StaffRef, TaskBody, TaskEventBody } from '@careloop/contract'
import { Text, Title } from '@mantine/core'
import { useNow } from '../../app/clock.ts'
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
  closed: 'Alert closed',
}
const whyWords = { 'no-longer-watched': 'No longer watched: the enrolment ended or the rule went' } as const
const taskWords: Readonly<Record<TaskEventBody['what'], string>> = {
  opened: 'Task opened',
  recurred: 'Task renewed',
  'evidence-changed': 'Its evidence changed',
  claimed: 'Claimed',
  completed: 'Completed',
}

export function Story({ task, explain }: { task: TaskBody; explain: ExplainBody }) {
  const now = useNow()
  // Claiming acknowledges and completing closes: said once, with the person's name.
  const ofAlert = explain.events.filter(({ what }) => what !== 'acknowledged' && what !== 'closed')
  const told: Told[] = [
    ...ofAlert.map(({ what, why, at, by }) => ({
      at,
      words: why === undefined ? alertWords[what] : whyWords[why],
      by,
    })),
    ...task.events.map(({ what, at, by }) => ({ at, words: taskWords[what], by })),
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
  if (frames.length === 0) return null
  return (
    <section className={classes.section}>
      <details>
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
