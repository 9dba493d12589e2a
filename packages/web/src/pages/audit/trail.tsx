/** The whole trail, newest first, by action and outcome, page by page. */
import type { AuditLine, AuditSearchInput } from '@careloop/contract'
import { Button, Group, NativeSelect, Text, TextInput } from '@mantine/core'
import { useInfiniteQuery } from '@tanstack/react-query'
import { type FormEvent, useState } from 'react'
import { call } from '../../api/client.ts'
import { endpoints } from '../../api/endpoints.ts'
import { useNow } from '../../app/clock.ts'
import { type Column, LongTable } from '../../parts/long-table.tsx'
import { Empty, Failed, Loading } from '../../parts/page-state.tsx'
import { momentText, viewerZone } from '../../parts/words.ts'
import { actorWords, purposeWords, shortId } from './words.ts'

const actions = [
  ...['read', 'search', 'create', 'update', 'delete', 'export', 'print', 'login', 'logout', 'denied', 'execute'],
  ...['assign', 'correct', 'revoke', 'consent', 'configure'],
]
const outcomes = ['success', 'denied', 'failed'] as const
type Outcome = (typeof outcomes)[number]

const columnsAt = (now: number): Column<AuditLine>[] => [
  { title: 'When', cell: ({ at }) => momentText(at, now, true) },
  { title: 'Who', cell: ({ by }) => actorWords(by) },
  {
    title: 'What',
    cell: ({ action, resource, times }) =>
      `${action} ${resource.replaceAll('-', ' ')}${times > 1 ? ` (${times} times)` : ''}`,
  },
  { title: 'Outcome', cell: ({ outcome }) => outcome },
  { title: 'Record', cell: ({ subject }) => (subject === null ? '' : <code title={subject}>{shortId(subject)}</code>) },
  { title: 'Why', cell: ({ purpose }) => purposeWords(purpose) },
  { title: 'Request', cell: ({ requestId }) => <code title={requestId ?? ''}>{shortId(requestId ?? '')}</code> },
]

interface Filter {
  readonly action: string
  readonly outcome: '' | Outcome
  readonly requestId: string
}

const requestIds = /^[A-Za-z0-9-]{1,64}$/

const asked = ({ action, outcome, requestId }: Filter, before: string | undefined): AuditSearchInput => ({
  ...(action === '' ? {} : { action }),
  ...(outcome === '' ? {} : { outcome }),
  ...(requestId === '' ? {} : { requestId }),
  ...(before === undefined ? {} : { before }),
})

export function TrailPart() {
  const now = useNow()
  const [filter, setFilter] = useState<Filter>({ action: '', outcome: '', requestId: '' })
  const trail = useInfiniteQuery({
    queryKey: ['audit', 'trail', filter],
    queryFn: ({ pageParam, signal }) => call(endpoints.auditSearch, { body: asked(filter, pageParam), signal }),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: ({ next }) => next ?? undefined,
    // Each reading is an entry of the trail itself: it is read when somebody asks.
    refetchOnWindowFocus: false,
  })
  const rows = trail.data?.pages.flatMap(({ items }) => items) ?? []
  return (
    <>
      <Group align="flex-end" gap="sm">
        <NativeSelect
          label="Action"
          value={filter.action}
          onChange={(event) => setFilter({ ...filter, action: event.currentTarget.value })}
          data={[{ value: '', label: 'Every action' }, ...actions]}
        />
        <NativeSelect
          label="Outcome"
          value={filter.outcome}
          onChange={(event) => setFilter({ ...filter, outcome: event.currentTarget.value as Filter['outcome'] })}
          data={[{ value: '', label: 'Every outcome' }, ...outcomes]}
        />
        <RequestIdForm
          onAsk={(requestId) =>
            requestId === filter.requestId ? void trail.refetch() : setFilter({ ...filter, requestId })
          }
          isPending={trail.isRefetching}
        />
      </Group>
      <Text c="dimmed" mt="xs">
        Times are in {viewerZone}.
      </Text>
      {trail.isPending ? <Loading /> : null}
      {trail.data === undefined && trail.error !== null ? (
        <Failed what="The trail could not be read" error={trail.error} onRetry={() => void trail.refetch()} />
      ) : null}
      {trail.data !== undefined && rows.length === 0 ? (
        <Empty title="Nothing fits">Take a filter away. Whatever is done stands in the trail at once.</Empty>
      ) : null}
      {rows.length === 0 ? null : (
        <LongTable columns={columnsAt(now)} rows={rows} keyOf={({ id }) => id} minWidth={860} />
      )}
      {trail.hasNextPage ? (
        <Button
          variant="default"
          mih={44}
          mt="sm"
          loading={trail.isFetchingNextPage}
          onClick={() => void trail.fetchNextPage()}
        >
          Older
        </Button>
      ) : null}
    </>
  )
}

/** Asked for when it is written whole: each reading of the trail is an entry of the trail. */
function RequestIdForm({ onAsk, isPending }: { onAsk: (requestId: string) => void; isPending: boolean }) {
  const [typed, setTyped] = useState('')
  const text = typed.trim()
  const isRight = text === '' || requestIds.test(text)
  const submit = (event: FormEvent) => {
    event.preventDefault()
    if (isRight) onAsk(text)
  }
  return (
    <form onSubmit={submit}>
      <Group align="flex-end" gap="sm">
        <TextInput
          label="Request id"
          value={typed}
          onChange={(event) => setTyped(event.currentTarget.value)}
          error={isRight ? undefined : 'Letters, digits and hyphens only.'}
          autoComplete="off"
          spellCheck={false}
        />
        <Button type="submit" variant="default" mih={44} loading={isPending}>
          Read again
        </Button>
      </Group>
    </form>
  )
}
