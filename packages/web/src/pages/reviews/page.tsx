/** Reviews: what an office has to look at, overdue first; opened beside the list, closed with what was found. */
import type { ReviewBody } from '@careloop/contract'
import { Button, SegmentedControl, Text } from '@mantine/core'
import { type QueryClient, useQuery } from '@tanstack/react-query'
import { useNavigate, useSearch } from '@tanstack/react-router'
import { officeQueries } from '../../api/office-queries.ts'
import { serverNow, useNow } from '../../app/clock.ts'
import { useMay } from '../../app/session.tsx'
import { Age } from '../../parts/age.tsx'
import { Page, useTitle } from '../../parts/page.tsx'
import { Empty, Failed, Loading, NotRenewed, WithRight } from '../../parts/page-state.tsx'
import { PriorityMark } from '../../parts/priority-mark.tsx'
import rows from '../../parts/rows.module.css'
import { countText, spanText } from '../../parts/words.ts'
import { AccessHours } from './access-hours.tsx'
import { ReviewDialog } from './review-dialog.tsx'
import { aboutWords, outcomeWords, reasonOf } from './words.ts'

const empty = {
  todo: (
    <Empty title="Nothing waits for review">
      Emergency access to patients, suspicious devices and unusual access stand here as soon as they happen, for whom
      they concern. You are told by the bell and by e-mail as well.
    </Empty>
  ),
  closed: (
    <Empty title="Nothing was closed yet">What is closed stays here, with who closed it and what was found.</Empty>
  ),
}

export interface ReviewsSearch {
  /** The one that is open. */
  readonly review?: string
  readonly closed?: true
}

export const loadReviews = (client: QueryClient, isClosed: boolean): void =>
  void client.prefetchQuery(officeQueries.reviews(isClosed))

export function ReviewsPage() {
  useTitle('Reviews')
  return (
    <WithRight resource="review" what="Reviews">
      <Reviews />
    </WithRight>
  )
}

function Reviews() {
  const { review, closed: isClosed = false } = useSearch({ from: '/staff/reviews' })
  const navigate = useNavigate({ from: '/reviews' })
  const reviews = useQuery(officeQueries.reviews(isClosed))
  const { data, error, refetch } = reviews
  const again = () => void refetch()
  return (
    <Page title="Reviews" beside={<Beside counts={data?.counts} isClosed={isClosed} />}>
      {reviews.isPending ? <Loading /> : null}
      {error !== null && data === undefined ? (
        <Failed what="The reviews could not be read" error={error} onRetry={again} />
      ) : null}
      {reviews.isRefetchError ? (
        <NotRenewed error={reviews.error} readAt={reviews.dataUpdatedAt} onRetry={again} />
      ) : null}
      {data?.items.length === 0 ? (isClosed ? empty.closed : empty.todo) : null}
      {data === undefined || data.items.length === 0 ? null : (
        <ul className={rows.rows} aria-label="Reviews">
          {data.items.map((each) => (
            <Row
              key={each.id}
              review={each}
              onOpen={() => void navigate({ search: (before) => ({ ...before, review: each.id }) })}
            />
          ))}
        </ul>
      )}
      {useMay('update', 'review') ? <AccessHours /> : null}
      <ReviewDialog id={review} onClose={() => void navigate({ search: ({ review: _review, ...before }) => before })} />
    </Page>
  )
}

interface BesideProps {
  readonly counts: { readonly open: number; readonly claimed: number; readonly overdue: number } | undefined
  readonly isClosed: boolean
}

function Beside({ counts, isClosed }: BesideProps) {
  const navigate = useNavigate({ from: '/reviews' })
  const todo = counts === undefined ? '' : counts.open + counts.claimed
  return (
    <>
      <Text role="status" c="dimmed">
        {counts === undefined || counts.overdue === 0 ? '' : `${countText(counts.overdue, 'review')} overdue`}
      </Text>
      <SegmentedControl
        aria-label="Which are shown"
        value={isClosed ? 'closed' : 'todo'}
        onChange={(value) => void navigate({ search: value === 'closed' ? { closed: true } : {} })}
        data={[
          { value: 'todo', label: `To do ${todo}` },
          { value: 'closed', label: 'Closed' },
        ]}
      />
    </>
  )
}

function Row({ review, onOpen }: { review: ReviewBody; onOpen: () => void }) {
  const { title, priority, openedAt, claimedBy, status, outcome, closedBy } = review
  return (
    <li className={rows.row}>
      <PriorityMark priority={priority} nature="technical" />
      <div className={rows.what}>
        <strong>{title}</strong>
        <div>{[aboutWords(review), reasonOf(review)].filter((each) => each !== '').join(': ')}</div>
        <div className={rows.soft}>
          <Age at={openedAt} /> ·{' '}
          {status === 'closed'
            ? `${outcomeWords[outcome!]}, closed by ${closedBy!.name}`
            : claimedBy === null
              ? 'nobody looks at it yet'
              : `${claimedBy.name} looks at it`}
        </div>
      </div>
      {status === 'closed' ? null : <Due at={review.dueAt} />}
      <Button variant="default" mih={44} onClick={onOpen} aria-label={`Open: ${title}, ${aboutWords(review)}`}>
        Open
      </Button>
    </li>
  )
}

function Due({ at }: { at: number }) {
  useNow()
  const left = at - serverNow()
  return left > 0 ? (
    <span className={rows.soft}>{spanText(left)} left</span>
  ) : (
    <strong>overdue by {spanText(-left)}</strong>
  )
}
