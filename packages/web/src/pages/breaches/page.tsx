/** Breach assessments: whom an access affects, what was decided, whose clock runs out when. */
import type { BreachView } from '@careloop/contract'
import { Button, Text } from '@mantine/core'
import { type QueryClient, useQuery } from '@tanstack/react-query'
import { useNavigate, useSearch } from '@tanstack/react-router'
import { complianceQueries } from '../../api/compliance-queries.ts'
import { useNow } from '../../app/clock.ts'
import { useMay } from '../../app/session.tsx'
import { Dialog } from '../../parts/dialog.tsx'
import { Page, useTitle } from '../../parts/page.tsx'
import { Empty, Failed, Loading, WithRight } from '../../parts/page-state.tsx'
import rows from '../../parts/rows.module.css'
import { countText, momentText } from '../../parts/words.ts'
import { BreachDialog } from './breach-dialog.tsx'
import { NewBreachForm } from './new-breach-form.tsx'
import { dueDay, nextDeadline, statusWords } from './words.ts'

export interface BreachesSearch {
  /** The one that is open, or `new`. */
  readonly breach?: string
}

export const loadBreaches = (client: QueryClient): void => void client.prefetchQuery(complianceQueries.breaches)

export function BreachesPage() {
  useTitle('Breaches')
  return (
    <WithRight resource="breach" what="Breach assessments">
      <Breaches />
    </WithRight>
  )
}

function Breaches() {
  const { breach } = useSearch({ from: '/staff/breaches' })
  const navigate = useNavigate({ from: '/breaches' })
  const mayOpen = useMay('create', 'breach')
  const list = useQuery(complianceQueries.breaches)
  const show = (id: string | undefined) => void navigate({ search: id === undefined ? {} : { breach: id } })
  const { data } = list
  const opened = data?.items.find(({ id }) => id === breach)
  return (
    <Page
      title="Breaches"
      beside={
        mayOpen ? (
          <Button mih={44} onClick={() => show('new')}>
            Assess an incident
          </Button>
        ) : undefined
      }
    >
      {list.isPending ? <Loading rows={3} /> : null}
      {data === undefined && list.error !== null ? (
        <Failed what="The assessments could not be read" error={list.error} onRetry={() => void list.refetch()} />
      ) : null}
      {breach !== undefined && breach !== 'new' && data !== undefined && opened === undefined ? (
        <Text role="alert" mb="sm">
          The assessment of this link is not in the list: it may be of another organisation.
        </Text>
      ) : null}
      {data?.items.length === 0 ? (
        <Empty title="No incident was assessed yet">
          Access that is not permitted is taken for a breach until an assessment shows that it probably is none (45 CFR
          164.402). Whom it affects is computed from the audit trail; the clock of 60 days runs from when it was
          discovered.
        </Empty>
      ) : null}
      {data === undefined || data.items.length === 0 ? null : (
        <ul className={rows.rows} aria-label="Breach assessments">
          {data.items.map((each) => (
            <Row key={each.id} breach={each} onOpen={() => show(each.id)} />
          ))}
        </ul>
      )}
      <Dialog title="Assess an incident" opened={breach === 'new'} onClose={() => show(undefined)} size="lg">
        <NewBreachForm onMade={show} onCancel={() => show(undefined)} />
      </Dialog>
      <Dialog title="Breach assessment" opened={opened !== undefined} onClose={() => show(undefined)} size="lg">
        {opened === undefined ? null : <BreachDialog key={opened.id} breach={opened} />}
      </Dialog>
    </Page>
  )
}

function Row({ breach, onOpen }: { breach: BreachView; onOpen: () => void }) {
  const now = useNow()
  const due = nextDeadline(breach)
  const title = `${countText(breach.affected, 'person', 'people')} affected`
  return (
    <li className={rows.row}>
      <div className={rows.what}>
        <strong>{title}</strong> · {statusWords[breach.status]}
        <Text lineClamp={2}>{breach.what}</Text>
        <div className={rows.soft}>
          discovered {momentText(breach.discoveredAt, now)}
          {due === null ? '' : ` · ${due.what} until the end of ${dueDay(due.at)}${due.at < now ? ', overdue' : ''}`}
        </div>
      </div>
      <Button variant="default" mih={44} onClick={onOpen} aria-label={`Open: ${title}`}>
        Open
      </Button>
    </li>
  )
}
