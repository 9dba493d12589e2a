/** One review: what happened, what was done by it, who looks at it; closed with an outcome and a note. */
import { type ReviewDetail, type ReviewOutcome, reviewOutcomes } from '@careloop/contract'
import { Button, Radio, Stack, Text, Textarea } from '@mantine/core'
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { type FormEvent, useState } from 'react'
import { call } from '../../api/client.ts'
import { endpoints } from '../../api/endpoints.ts'
import { officeQueries } from '../../api/office-queries.ts'
import { useNow } from '../../app/clock.ts'
import { useMe } from '../../app/session.tsx'
import { Dialog } from '../../parts/dialog.tsx'
import { Failed, Loading } from '../../parts/page-state.tsx'
import { FormFoot, Refusal } from '../../parts/refusal.tsx'
import { useOffline } from '../../parts/why-not.ts'
import { countText, momentText } from '../../parts/words.ts'
import { aboutWords, outcomeWords, reasonOf } from './words.ts'

export function ReviewDialog({ id, onClose }: { id: string | undefined; onClose: () => void }) {
  return (
    <Dialog title="Review" opened={id !== undefined} onClose={onClose} size="lg">
      {id === undefined ? null : <Review key={id} id={id} onClose={onClose} />}
    </Dialog>
  )
}

function Review({ id, onClose }: { id: string; onClose: () => void }) {
  const review = useQuery(officeQueries.review(id))
  if (review.isPending) return <Loading rows={4} />
  if (review.data === undefined)
    return <Failed what="This review could not be read" error={review.error!} onRetry={() => void review.refetch()} />
  return (
    <Stack gap="md">
      <What review={review.data} />
      {review.data.status === 'closed' ? (
        <Outcome review={review.data} />
      ) : (
        <Acts review={review.data} onClose={onClose} />
      )}
    </Stack>
  )
}

function What({ review }: { review: ReviewDetail }) {
  const now = useNow()
  const { title, openedAt, dueAt, access } = review
  const reason = reasonOf(review)
  return (
    <div>
      <Text fw={600}>{title}</Text>
      <Text>{aboutWords(review)}</Text>
      {reason === '' ? null : <Text>{reason}</Text>}
      <Text c="dimmed">
        {momentText(openedAt, now)}; to be closed until {momentText(dueAt, now)}
      </Text>
      {access === null ? null : <Access access={access} now={now} />}
    </div>
  )
}

const actWords: Readonly<Record<string, string>> = {
  read: 'Read',
  search: 'Found',
  create: 'Made',
  update: 'Changed',
  delete: 'Deleted',
  export: 'Exported',
}

function Access({ access, now }: { access: NonNullable<ReviewDetail['access']>; now: number }) {
  const { openedAt, untilAt, endedAt, words, acts } = access
  const until = endedAt === null ? momentText(untilAt, now) : `${momentText(endedAt, now)}, given back early`
  return (
    <>
      <Text mt="sm">
        From {momentText(openedAt, now)} until {until}.
      </Text>
      <Text mt="sm" fw={600}>
        In their words
      </Text>
      <Text>{words ?? 'Not readable any more: the patient was erased.'}</Text>
      <Text mt="sm" fw={600}>
        What was done by it
      </Text>
      {acts.length === 0 ? (
        <Text>Nothing was opened.</Text>
      ) : (
        <ul aria-label="What was done by it">
          {acts.map(({ action, resource, count }) => (
            <li key={`${action} ${resource}`}>
              {actWords[action] ?? action} {resource.replaceAll('-', ' ')}, {countText(count, 'time')}
            </li>
          ))}
        </ul>
      )}
    </>
  )
}

function Outcome({ review: { outcome, closedBy, closedAt, note } }: { review: ReviewDetail }) {
  const now = useNow()
  return (
    <div>
      <Text fw={600}>{outcomeWords[outcome!]}</Text>
      <Text>{note}</Text>
      <Text c="dimmed">
        Closed by {closedBy!.name}, {momentText(closedAt!, now)}
      </Text>
    </div>
  )
}

function Acts({ review, onClose }: { review: ReviewDetail; onClose: () => void }) {
  const [outcome, setOutcome] = useState<ReviewOutcome | null>(null)
  const why = useOffline()
  const me = useMe()
  const claim = useHandling(review.id, () =>
    call(endpoints.claimReview, { params: { id: review.id }, body: { version: review.version } }),
  )
  const close = useHandling(
    review.id,
    (note: string) =>
      call(endpoints.closeReview, {
        params: { id: review.id },
        body: { version: review.version, outcome: outcome!, note },
      }),
    onClose,
  )
  const { claimedBy, whyNotClose } = review
  if (whyNotClose !== undefined) return <Text role="status">{whyNotClose}</Text>
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault()
    close.mutate(String(new FormData(event.currentTarget).get('note') ?? '').trim())
  }
  return (
    <>
      {claimedBy?.id === me.id ? (
        <Text c="dimmed">You look at it.</Text>
      ) : (
        <div>
          {claimedBy === null ? null : <Text>{claimedBy.name} looks at it.</Text>}
          <Button
            variant="default"
            mih={44}
            loading={claim.isPending}
            disabled={why !== null}
            onClick={() => claim.mutate(undefined)}
          >
            {claimedBy === null ? 'I look at it' : 'Take it over'}
          </Button>
        </div>
      )}
      <form onSubmit={submit}>
        <Radio.Group label="What was found" value={outcome} onChange={(value) => setOutcome(value as ReviewOutcome)}>
          <Stack gap="xs" mt="xs">
            {reviewOutcomes[review.kind].map((each) => (
              <Radio key={each} value={each} label={outcomeWords[each]} />
            ))}
          </Stack>
        </Radio.Group>
        <Textarea
          label="Note"
          description="How you know, and what follows from it."
          name="note"
          required
          maxLength={2000}
          rows={3}
          size="md"
          mt="md"
        />
        <Refusal error={close.error ?? claim.error} />
        <FormFoot
          label="Close the review"
          isPending={close.isPending}
          onCancel={onClose}
          why={why ?? (outcome === null ? 'Choose what was found.' : null)}
        />
      </form>
    </>
  )
}

function useHandling<A>(id: string, fn: (asked: A) => Promise<ReviewDetail>, onDone: () => void = () => {}) {
  const client = useQueryClient()
  return useMutation({
    mutationFn: fn,
    onSuccess(review) {
      client.setQueryData(['reviews', 'one', id], review)
      onDone()
    },
    onSettled: () => client.invalidateQueries({ queryKey: ['reviews'] }),
  })
}
