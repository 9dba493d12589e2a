/** Alerts of this subject: open ones first, then what was, each with a link to its task's list. */
import type { SubjectAlerts } from '@careloop/contract'
import { Text } from '@mantine/core'
import { useNow } from '../../app/clock.ts'
import { PriorityMark } from '../../parts/priority-mark.tsx'
import rows from '../../parts/rows.module.css'
import { Section } from '../../parts/section.tsx'
import { agoText, countText, momentText, spanText } from '../../parts/words.ts'

type Alert = SubjectAlerts['items'][number]

const firstRows = 6

export function AlertsPanel({ alerts, span }: { alerts: readonly Alert[]; span: string }) {
  const open = alerts.filter(({ handling }) => handling !== 'closed')
  const over = alerts.filter(({ handling }) => handling === 'closed')
  return (
    <Section title="Alerts" beside={<Text c="dimmed">{`${countText(open.length, 'open alert')}, ${span}`}</Text>}>
      {alerts.length === 0 ? <Text c="dimmed">None in this time.</Text> : null}
      <ul className={rows.rows} hidden={open.length === 0}>
        {open.map((alert) => (
          <AlertRow key={alert.id} alert={alert} />
        ))}
      </ul>
      {over.length === 0 ? null : (
        <details open={open.length === 0 && over.length <= firstRows}>
          <summary>{countText(over.length, 'closed alert')}</summary>
          <ul className={rows.rows}>
            {over.map((alert) => (
              <AlertRow key={alert.id} alert={alert} />
            ))}
          </ul>
        </details>
      )}
    </Section>
  )
}

function AlertRow({ alert }: { alert: Alert }) {
  const now = useNow()
  const { raisedAt, clearedAt, condition, handling } = alert
  return (
    <li className={rows.row}>
      <PriorityMark priority={alert.priority} nature={alert.nature} />
      <div className={rows.what}>
        {alert.sentence}
        <div className={rows.soft}>
          {momentText(raisedAt, now)}
          {clearedAt === undefined ? `, for ${spanText(now - raisedAt)}` : `, lasted ${spanText(clearedAt - raisedAt)}`}
          , {handlingWords[handling]}
          {alert.historic ? ', found late' : ''}
          {alert.wrongSubject ? ', readings were of somebody else' : ''}
        </div>
      </div>
      <span className={rows.tag}>
        {condition === 'active' ? 'Active' : `Ended ${agoText(clearedAt ?? raisedAt, now)}`}
      </span>
    </li>
  )
}

const handlingWords = { new: 'nobody has looked yet', acknowledged: 'somebody is on it', closed: 'closed' } as const
