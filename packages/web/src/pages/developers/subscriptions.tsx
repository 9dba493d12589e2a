/** Who outside is told what, and whether it arrives: what is in trouble first. */
import type { SubscriptionHealth } from '@careloop/contract'
import { Button, Text } from '@mantine/core'
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { call } from '../../api/client.ts'
import { developerQueries } from '../../api/developer-queries.ts'
import { endpoints } from '../../api/endpoints.ts'
import { useNow } from '../../app/clock.ts'
import { Empty, Failed, Loading, NotRenewed } from '../../parts/page-state.tsx'
import { Refusal } from '../../parts/refusal.tsx'
import rows from '../../parts/rows.module.css'
import { useWhyNot } from '../../parts/why-not.ts'
import { agoText, countText, momentText } from '../../parts/words.ts'

const statusWords: Readonly<Record<SubscriptionHealth['status'], string>> = {
  requested: 'Waits for the endpoint to answer the handshake',
  active: 'Active',
  error: 'In error: nothing is sent',
  off: 'Off',
}

const order = ['error', 'requested', 'active', 'off'] as const

export function SubscriptionsPart() {
  const read = useQuery(developerQueries.subscriptions)
  const again = () => void read.refetch()
  if (read.isPending) return <Loading />
  if (read.data === undefined)
    return <Failed what="The subscriptions could not be read" error={read.error} onRetry={again} />
  const items = read.data.items.toSorted((a, b) => rankOf(a) - rankOf(b))
  return (
    <>
      {read.isRefetchError ? <NotRenewed error={read.error} readAt={read.dataUpdatedAt} onRetry={again} /> : null}
      {items.length === 0 ? (
        <Empty title="Nobody has subscribed">
          A system that wants to be told of alerts, tasks or readings creates a Subscription with one of our topics.
        </Empty>
      ) : (
        <ul className={rows.rows} aria-label="Subscriptions">
          {items.map((each) => (
            <Row key={each.id} subscription={each} />
          ))}
        </ul>
      )}
    </>
  )
}

/** What is in trouble first. */
const rankOf = ({ status, failures }: SubscriptionHealth): number =>
  order.indexOf(status) - (status === 'active' && failures > 0 ? 0.5 : 0)

function Row({ subscription }: { subscription: SubscriptionHealth }) {
  const now = useNow()
  const { id, status, title, host, payload, says, endAt, failures } = subscription
  return (
    <li className={rows.row}>
      <div className={rows.what}>
        <strong>{title}</strong> to {host}
        <div className={rows.soft}>
          {statusWords[status]}
          {endAt === null ? '' : `, until ${momentText(endAt, now)}`}, sends {payload}
        </div>
        <div className={rows.soft}>{toldWords(subscription, now)}</div>
        {says === null ? null : <Text>{says}</Text>}
        {failures === 0 ? null : <Text>{troubleWords(subscription, now)}</Text>}
      </div>
      {status === 'error' || failures > 0 ? <RetryButton id={id} host={host} /> : null}
    </li>
  )
}

function toldWords({ events, behind, lastToldAt }: SubscriptionHealth, now: number): string {
  const told = lastToldAt === null ? 'nothing taken yet' : `last taken ${agoText(lastToldAt, now)}`
  return `${countText(events, 'event')}, ${behind === 0 ? 'none waits' : `${behind} not taken yet`}, ${told}`
}

function troubleWords({ failures, failingSince, trouble, nextTryAt }: SubscriptionHealth, now: number): string {
  const since = failingSince === null ? '' : ` since ${momentText(failingSince, now)}`
  const next = nextTryAt === null ? '' : `; next try ${nextTryAt <= now ? 'now' : momentText(nextTryAt, now, true)}`
  return `${countText(failures, 'try', 'tries')} in vain${since}${trouble === null ? '' : ` (${trouble})`}${next}.`
}

function RetryButton({ id, host }: { id: string; host: string }) {
  const client = useQueryClient()
  const why = useWhyNot('update', 'system')
  const retry = useMutation({
    mutationFn: () => call(endpoints.retrySubscription, { params: { id } }),
    onSettled: () => client.invalidateQueries(developerQueries.subscriptions),
  })
  return (
    <div>
      <Button
        variant="default"
        mih={44}
        loading={retry.isPending}
        disabled={why !== null}
        title={why ?? undefined}
        aria-label={`Try ${host} again now`}
        onClick={() => retry.mutate()}
      >
        Try again now
      </Button>
      <Refusal error={retry.error} />
    </div>
  )
}
