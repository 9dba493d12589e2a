/** Whether the installation is looked after: backups, drills, and what must be mended. For administrators and compliance. */
import type { SystemHealth } from '@careloop/contract'
import { Alert, Text } from '@mantine/core'
import { type QueryClient, useQuery } from '@tanstack/react-query'
import { officeQueries } from '../../api/office-queries.ts'
import { Age } from '../../parts/age.tsx'
import { Page, useTitle } from '../../parts/page.tsx'
import { Empty, Failed, Loading, NotRenewed, WithRight } from '../../parts/page-state.tsx'
import rows from '../../parts/rows.module.css'

const empty = (
  <Empty title="No backup is set up">
    What this server holds is lost with its disk. Whoever runs it names a folder on another disk, or a bucket, in
    CARELOOP_BACKUP.
  </Empty>
)

export const loadSystemHealth = (client: QueryClient): void => void client.prefetchQuery(officeQueries.systemHealth)

export function SystemHealthPage() {
  useTitle('System health')
  return (
    <WithRight resource="system" what="System health">
      <Health />
    </WithRight>
  )
}

function Health() {
  const health = useQuery(officeQueries.systemHealth)
  const { data, error, refetch } = health
  const again = () => void refetch()
  return (
    <Page title="System health">
      {health.isPending ? <Loading /> : null}
      {error !== null && data === undefined ? (
        <Failed what="The health of the system could not be read" error={error} onRetry={again} />
      ) : null}
      {health.isRefetchError ? <NotRenewed error={health.error} readAt={health.dataUpdatedAt} onRetry={again} /> : null}
      {data === undefined ? null : <Troubles troubles={data.troubles} />}
      {data?.facts.length === 0 ? empty : null}
      {data === undefined || data.facts.length === 0 ? null : <Facts facts={data.facts} />}
    </Page>
  )
}

function Troubles({ troubles }: Pick<SystemHealth, 'troubles'>) {
  if (troubles.length === 0) return <Text role="status">Nothing must be mended.</Text>
  return (
    <ul className={rows.rows} aria-label="To mend">
      {troubles.map(({ what, mend }) => (
        <li key={what} className={rows.row}>
          <Alert color="red" variant="light" title={`To mend: ${what}`} w="100%">
            {mend}
          </Alert>
        </li>
      ))}
    </ul>
  )
}

function Facts({ facts }: Pick<SystemHealth, 'facts'>) {
  return (
    <ul className={rows.rows} aria-label="Last done">
      {facts.map(({ what, at, detail }) => (
        <li key={what} className={rows.row}>
          <div className={rows.what}>
            <strong>{what}</strong>
            {detail === null ? null : <div className={rows.soft}>{detail}</div>}
          </div>
          <div>{at === null ? 'never' : <Age at={at} />}</div>
        </li>
      ))}
    </ul>
  )
}
