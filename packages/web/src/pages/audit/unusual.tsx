/** Access that is unusual, and the records that are watched. */
import type { AboutWhom, UnusualAccess } from '@careloop/contract'
import { Button, Text, Textarea } from '@mantine/core'
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import { call } from '../../api/client.ts'
import { complianceQueries } from '../../api/compliance-queries.ts'
import { endpoints } from '../../api/endpoints.ts'
import { useNow } from '../../app/clock.ts'
import { useMay } from '../../app/session.tsx'
import { Empty, Failed, Loading } from '../../parts/page-state.tsx'
import { Refusal, refusalAt } from '../../parts/refusal.tsx'
import rows from '../../parts/rows.module.css'
import { Section } from '../../parts/section.tsx'
import { momentText } from '../../parts/words.ts'
import { RecordForm } from './record-form.tsx'
import { actorWords, unusualWords } from './words.ts'

export function UnusualPart() {
  const unusual = useQuery(complianceQueries.unusual)
  const { data } = unusual
  return (
    <>
      {unusual.isPending ? <Loading /> : null}
      {data === undefined && unusual.error !== null ? (
        <Failed what="It could not be read" error={unusual.error} onRetry={() => void unusual.refetch()} />
      ) : null}
      {data === undefined ? null : (
        <>
          <Text c="dimmed" role="status">
            {data.checkedUntil === null
              ? 'No day has been looked at yet: each is, once it has ended.'
              : `Looked at until ${data.checkedUntil} (UTC days). Each finding is a review of its own; a finding is a question, no judgement.`}
          </Text>
          {data.items.length === 0 ? (
            <Empty title={data.checkedUntil === null ? 'Nothing was looked at yet' : 'Nothing unusual was found'}>
              Very many records in a day, records of people of one’s own family name, and watched records seen from
              outside their care team stand here.
            </Empty>
          ) : (
            <ul className={rows.rows} aria-label="Unusual access">
              {data.items.map((each) => (
                <Row key={each.id} found={each} />
              ))}
            </ul>
          )}
        </>
      )}
      <Watched />
    </>
  )
}

function Row({ found }: { found: UnusualAccess }) {
  const { day, by, subject } = found
  return (
    <li className={rows.row}>
      <div className={rows.what}>
        <strong>{actorWords(by)}</strong> {unusualWords(found)}
        <div className={rows.soft}>
          {day} · {by.roles.join(', ')}
          {subject === null ? '' : ` · record ${subject}`}
        </div>
      </div>
    </li>
  )
}

function Watched() {
  const now = useNow()
  const client = useQueryClient()
  const may = useMay('act', 'audit')
  const watched = useQuery(complianceQueries.watched)
  const [reason, setReason] = useState('')
  // A form anew for each: the number that was asked with does not stay on the screen.
  const [made, setMade] = useState(0)
  const again = () => client.invalidateQueries({ queryKey: complianceQueries.watched.queryKey })
  const watch = useMutation({
    mutationFn: (about: AboutWhom) => call(endpoints.watchRecord, { body: { about, reason: reason.trim() } }),
    onSuccess: () => {
      setReason('')
      setMade(made + 1)
    },
    onSettled: again,
  })
  const end = useMutation({
    mutationFn: (id: string) => call(endpoints.unwatchRecord, { params: { id } }),
    onSettled: again,
  })
  return (
    <Section title="Watched records">
      <Text mb="sm">
        People in the public eye, colleagues who are patients. Whoever is not of the patient’s care team and sees such a
        record is told of here.
      </Text>
      {watched.data === undefined && watched.error !== null ? (
        <Failed
          what="The watched records could not be read"
          error={watched.error}
          onRetry={() => void watched.refetch()}
        />
      ) : null}
      {watched.data?.items.length === 0 ? <Text c="dimmed">None is watched.</Text> : null}
      <ul className={rows.rows} aria-label="Watched records" hidden={(watched.data?.items.length ?? 0) === 0}>
        {watched.data?.items.map(({ subject, since, by }) => (
          <li key={subject} className={rows.row}>
            <div className={rows.what}>
              Record <code>{subject}</code>
              <div className={rows.soft}>
                since {momentText(since, now)}, by {actorWords(by)}
              </div>
            </div>
            {may ? (
              <Button
                variant="subtle"
                mih={44}
                onClick={() => end.mutate(subject)}
                aria-label={`Watch no more: ${subject}`}
                loading={end.isPending && end.variables === subject}
              >
                Watch no more
              </Button>
            ) : null}
          </li>
        ))}
      </ul>
      {may ? (
        <>
          <Textarea
            label="Why it is watched"
            description="Kept sealed"
            value={reason}
            onChange={(event) => setReason(event.currentTarget.value)}
            error={refusalAt(watch.error, '/body/reason')}
            maw={560}
            mt="md"
            mb="sm"
          />
          <RecordForm
            key={made}
            label="Watch this record"
            isPending={watch.isPending}
            error={refusalAt(watch.error, '/body/about')}
            onAsk={(about) => watch.mutate(about)}
          />
          <Refusal error={watch.error ?? end.error} shown={['/body/about', '/body/reason']} />
        </>
      ) : null}
    </Section>
  )
}
