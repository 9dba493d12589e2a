/** Who is told what, and whether it arrives. */

import { Text } from '@mantine/core'
import type { Subscription } from '@medplum/fhirtypes'
import { useQuery } from '@tanstack/react-query'
import { developerQueries } from '../../api/developer-queries.ts'
import { Empty, Failed, Loading } from '../../parts/page-state.tsx'
import rows from '../../parts/rows.module.css'

const statusWords: Readonly<Record<string, string>> = {
  requested: 'the endpoint has not answered the handshake yet',
  active: 'active',
  error: 'in error: nothing is sent until it is mended',
  off: 'off',
}

export function SubscriptionsPart() {
  const read = useQuery(developerQueries.subscriptions)
  if (read.isPending) return <Loading />
  if (read.data === undefined)
    return <Failed what="The subscriptions could not be read" error={read.error} onRetry={() => void read.refetch()} />
  const { resources } = read.data
  if (resources.length === 0)
    return (
      <Empty title="Nobody has subscribed">
        A system that wants to be told of alerts, tasks or readings creates a Subscription with one of our topics.
      </Empty>
    )
  return (
    <ul className={rows.rows} aria-label="Subscriptions">
      {resources.map((each) => (
        <Row key={each.id} subscription={each} />
      ))}
    </ul>
  )
}

function Row({ subscription: { status, criteria, channel, error, end } }: { subscription: Subscription }) {
  return (
    <li className={rows.row}>
      <div className={rows.what}>
        {criteria?.split('/').at(-1)} <span className={rows.soft}>to {hostOf(channel?.endpoint)}</span>
        <div className={rows.soft}>
          {statusWords[status ?? ''] ?? status}
          {end === undefined ? '' : `, until ${end.slice(0, 10)}`}
        </div>
        {error === undefined ? null : <Text>{error}</Text>}
      </div>
    </li>
  )
}

/** Of an address only the host: a path may hold a secret. */
function hostOf(endpoint: string | undefined): string {
  return endpoint !== undefined && URL.canParse(endpoint) ? new URL(endpoint).host : 'no address'
}
