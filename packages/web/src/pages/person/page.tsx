/** What a patient or caregiver sees: their own newest readings, or those that are shared with them. No page of staff is reached from here. */
import { Text } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { accessQueries } from '../../api/access-queries.ts'
import { queries } from '../../api/queries.ts'
import { Page, useTitle } from '../../parts/page.tsx'
import { Empty, Failed, Loading } from '../../parts/page-state.tsx'
import rows from '../../parts/rows.module.css'
import { Section } from '../../parts/section.tsx'
import { OwnConsents } from '../consent/own-consents.tsx'
import { CaredFor } from './cared-for.tsx'
import { PersonFrame } from './frame.tsx'
import { NewestReadings } from './newest-readings.tsx'
import classes from './person.module.css'

export function PersonPage() {
  useTitle('Today')
  return (
    <PersonFrame>
      <Today />
    </PersonFrame>
  )
}

function Today() {
  const own = useQuery(accessQueries.ownPerson)
  if (own.isPending) return <Loading />
  if (own.data === undefined)
    return <Failed what="Your page could not be read" error={own.error!} onRetry={() => void own.refetch()} />
  return own.data.subject === null ? <CaredFor /> : <Patient subject={own.data.subject} />
}

function Patient({ subject }: { subject: string }) {
  const found = useQuery(queries.subject(subject))
  if (found.isPending) return <Loading />
  if (found.data === undefined)
    return <Failed what="Your record could not be read" error={found.error!} onRetry={() => void found.refetch()} />
  return (
    <Page
      title={found.data.display}
      beside={
        <a className={`${rows.link} ${classes.jump}`} href="#sharing">
          Who sees your readings
        </a>
      }
    >
      <Section title="Your newest readings">
        <NewestReadings
          subject={subject}
          label="Your newest readings"
          none={<Empty title="No readings yet">They appear here when a device of yours has sent some.</Empty>}
        />
        <Text c="dimmed" mt="sm" size="sm">
          Careloop does not watch over you all the time. If you feel unwell, call your clinic or the emergency number.
        </Text>
      </Section>
      <div id="sharing">
        <OwnConsents subject={subject} />
      </div>
    </Page>
  )
}
