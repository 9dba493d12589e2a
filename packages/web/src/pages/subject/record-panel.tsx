/** What staff did for the subject in the last 30 days, and on how many days something was measured. */
import type { SubjectKind } from '@careloop/contract'
import { Text } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { careQueries } from '../../api/care-queries.ts'
import { useNow } from '../../app/clock.ts'
import { useMay } from '../../app/session.tsx'
import { Failed, Loading } from '../../parts/page-state.tsx'
import rows from '../../parts/rows.module.css'
import { Section } from '../../parts/section.tsx'
import { countText, momentText, spanText } from '../../parts/words.ts'

const days = 30
const kindWords = {
  'data-review': 'Looked at data',
  'patient-contact': 'Contact with the patient',
  'caregiver-contact': 'Contact with a caregiver',
  'care-coordination': 'Coordination of care',
  documentation: 'Documentation',
  education: 'Education',
  'device-setup': 'Set up a device',
  'technical-help': 'Technical help',
  other: 'Other',
} as const
const firstRows = 5

interface RecordProps {
  readonly subject: string
  readonly kind: SubjectKind
  readonly timeZone: string
}

export function RecordPanel({ subject, kind, timeZone }: RecordProps) {
  const mayRead = useMay('read', 'activity')
  if (!mayRead) return null
  return (
    <Section title={`Last ${days} days`}>
      {kind === 'patient' ? <MeasuredDays subject={subject} timeZone={timeZone} /> : null}
      <Activities subject={subject} />
    </Section>
  )
}

/** By the civil day of the subject: a reading at 23:30 in Vienna belongs to that day wherever it is looked at. */
function MeasuredDays({ subject, timeZone }: { subject: string; timeZone: string }) {
  const read = useQuery(careQueries.days(subject, days, timeZone))
  if (read.isPending) return <Loading rows={1} />
  if (read.data === undefined)
    return <Failed what="The days could not be read" error={read.error} onRetry={() => void read.refetch()} />
  const of = (origins: readonly string[]) =>
    new Set(read.data.days.filter(({ origin }) => origins.includes(origin)).map(({ localDate }) => localDate)).size
  const typed = of(['typed', 'ehr'])
  return (
    <Text>
      Measured by a device on <strong>{countText(of(['automatic']), 'day')}</strong>
      {typed === 0 ? '' : `, entered by hand or from a record on ${countText(typed, 'day')}`} of {days} ({timeZone}).
    </Text>
  )
}

function Activities({ subject }: { subject: string }) {
  const read = useQuery(careQueries.activities(subject, days))
  const now = useNow()
  if (read.isPending) return <Loading rows={2} />
  if (read.data === undefined)
    return <Failed what="The record could not be read" error={read.error} onRetry={() => void read.refetch()} />
  const { items, totals } = read.data
  return (
    <>
      <Text>
        Staff time <strong>{spanText(totals.seconds * 1000)}</strong>, {countText(totals.liveContacts, 'live contact')}.
      </Text>
      {items.length === 0 ? null : (
        <details>
          <summary>{countText(items.length, 'entry', 'entries')}</summary>
          <ul className={rows.rows}>
            {items.slice(0, firstRows * 4).map((each) => (
              <li key={each.id} className={rows.row}>
                <div className={rows.what}>
                  {kindWords[each.kind]}, {each.by.name}
                  <div className={rows.soft}>
                    {momentText(each.from, now)}, {spanText(each.to - each.from)}
                    {each.correctedBy === undefined ? '' : ', replaced by a later entry'}
                    {each.ended ? '' : ', going on'}
                  </div>
                </div>
              </li>
            ))}
          </ul>
        </details>
      )}
    </>
  )
}
