/** Alerts of this subject: open ones first, each with the way to its task, then what was. */
import type { SubjectAlerts } from '@careloop/contract'
import { Text } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { queries } from '../../api/queries.ts'
import { useNow } from '../../app/clock.ts'
import { useMay } from '../../app/session.tsx'
import { PriorityMark } from '../../parts/priority-mark.tsx'
import rows from '../../parts/rows.module.css'
import { Section } from '../../parts/section.tsx'
import { agoText, countText } from '../../parts/words.ts'
import { endOf, stoodWords } from './alert-words.ts'

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
  const { condition, handling } = alert
  const task = useTaskOf(alert.id)
  return (
    <li className={rows.row}>
      <PriorityMark priority={alert.priority} nature={alert.nature} />
      <div className={rows.what}>
        {alert.sentence}
        <div className={rows.soft}>
          {stoodWords(alert, now)}, {handlingWords[handling]}
          {alert.historic ? ', found late' : ''}
          {alert.wrongSubject ? ', readings were of somebody else' : ''}
        </div>
        {task === undefined ? null : (
          <Link to="/worklist" search={{ task }} className={rows.link!}>
            Open the task
          </Link>
        )}
      </div>
      <span className={rows.tag}>{condition === 'active' ? 'Active' : `Ended ${agoText(endOf(alert), now)}`}</span>
    </li>
  )
}

/** An alert knows no task; the worklist knows which alert each of its tasks is about. */
function useTaskOf(alert: string): string | undefined {
  const enabled = useMay('read', 'task')
  return useQuery({ ...queries.worklist, enabled }).data?.rows.find((row) => row.alert === alert)?.task
}

const handlingWords = { new: 'nobody has looked yet', acknowledged: 'somebody is on it', closed: 'closed' } as const
