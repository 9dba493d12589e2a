/** A patient's record as FHIR holds it: who they are, who cares for them, what they wear, vital signs by day, documents. */

import { Button, Text } from '@mantine/core'
import type { Resource } from '@medplum/fhirtypes'
import { type QueryClient, useQuery } from '@tanstack/react-query'
import { Link, useNavigate, useParams, useSearch } from '@tanstack/react-router'
import { useState } from 'react'
import { queries } from '../../api/queries.ts'
import { useMay } from '../../app/session.tsx'
import { Page, useTitle } from '../../parts/page.tsx'
import { Empty, Failed, Loading, WithRight } from '../../parts/page-state.tsx'
import rows from '../../parts/rows.module.css'
import { CarePart } from './care.tsx'
import { DevicesPart } from './devices.tsx'
import { DocumentsPart } from './documents.tsx'
import { PersonPart } from './person.tsx'
import classes from './record.module.css'
import { ResourceDialog } from './resource-dialog.tsx'
import { VitalsPart } from './vitals-by-day.tsx'

export interface RecordSearch {
  /** Days back from today. */
  readonly days?: number
  /** LOINC code of the measure that is shown. */
  readonly measure?: string
}

export const loadRecord = (client: QueryClient, id: string): void => void client.prefetchQuery(queries.subject(id))

export function RecordPage() {
  useTitle('Record')
  return (
    <WithRight resource="subject" what="Record">
      <Record />
    </WithRight>
  )
}

function Record() {
  const { id } = useParams({ from: '/staff/subjects/$id/record' })
  const subject = useQuery(queries.subject(id))
  if (subject.isPending) return <Loading />
  if (subject.data === undefined)
    return <Failed what="This record could not be read" error={subject.error!} onRetry={() => void subject.refetch()} />
  const { kind, display, birthDate, timeZone, team, resource } = subject.data
  if (kind !== 'patient')
    return (
      <Empty title="Only patients have a record">
        <Link to="/subjects/$id" params={{ id }} className={rows.link!}>
          To {display}
        </Link>
      </Empty>
    )
  // An EHR may have chosen another id for the patient than ours.
  const patient = typeof resource.id === 'string' ? resource.id : id
  return (
    <Page
      title={display}
      beside={
        <>
          <Text c="dimmed">
            Record{birthDate === undefined ? '' : `, born ${birthDate}`}, {timeZone}
          </Text>
          <Button component={Link} to={`/subjects/${id}`} variant="default" mih={44}>
            Now
          </Button>
        </>
      }
    >
      <Parts key={id} patient={patient} team={team} zone={timeZone} />
    </Page>
  )
}

function Parts({ patient, team, zone }: { patient: string; team: string | null; zone: string }) {
  const { days = 30, measure } = useSearch({ from: '/staff/subjects/$id/record' })
  const navigate = useNavigate({ from: '/subjects/$id/record' })
  const [shown, show] = useState<Resource | null>(null)
  const mayReadVitals = useMay('read', 'series')
  const mayReadDevices = useMay('read', 'device')
  return (
    <div className={classes.parts}>
      <div className={classes.main}>
        {mayReadVitals ? (
          <VitalsPart
            {...{ patient, zone, days, measure, show }}
            onDays={(value) => void navigate({ search: (before) => ({ ...before, days: value }) })}
            onMeasure={(value) => void navigate({ search: (before) => ({ ...before, measure: value }) })}
          />
        ) : null}
        <DocumentsPart patient={patient} show={show} />
      </div>
      <div>
        <PersonPart patient={patient} show={show} />
        <CarePart patient={patient} team={team} show={show} />
        {mayReadDevices ? <DevicesPart patient={patient} show={show} /> : null}
      </div>
      {shown === null ? null : <ResourceDialog resource={shown} onClose={() => show(null)} />}
    </div>
  )
}
