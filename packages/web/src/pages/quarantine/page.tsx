/** Quarantine: what could not be decoded, attributed or trusted; looked at, replayed after a fix, or let go. */
import type { QuarantineCounts, QuarantinedFrameBody } from '@careloop/contract'
import { Button, Drawer, NativeSelect, SegmentedControl, Table, Text } from '@mantine/core'
import { type QueryClient, useQuery } from '@tanstack/react-query'
import { useNavigate, useSearch } from '@tanstack/react-router'
import type { ReactNode } from 'react'
import type { z } from 'zod'
import { queries } from '../../api/queries.ts'
import { Age } from '../../parts/age.tsx'
import { Page, useTitle } from '../../parts/page.tsx'
import { Empty, Failed, Loading, NotRenewed, WithRight } from '../../parts/page-state.tsx'
import { bytesText, countText } from '../../parts/words.ts'
import { FramePane } from './frame-pane.tsx'
import { type QuarantineStatus, statuses } from './statuses.ts'

export type Frame = z.infer<typeof QuarantinedFrameBody>

const empty = (
  <Empty title="Nothing is in quarantine">
    A message that cannot be decoded, attributed or trusted is kept here whole, with the reason and its bytes, until
    somebody replays it or lets it go. Nothing is dropped in silence.
  </Empty>
)

const statusWords = { held: 'Held', replayed: 'Replayed', dismissed: 'Dismissed' } as const
export interface QuarantineSearch {
  readonly status?: QuarantineStatus
  readonly reason?: string
  readonly frame?: string
}

export const loadQuarantine = (client: QueryClient, { status = 'held', reason }: QuarantineSearch): void => {
  void client.prefetchQuery(queries.quarantine(status, reason))
  void client.prefetchQuery(queries.quarantineCounts)
}

export const reasonWords: Readonly<Record<Frame['reason'], string>> = {
  'unknown-device': 'Unknown device',
  'wrong-device': 'Speaks for another device',
  unassigned: 'Nobody wears the device',
  'bad-frame': 'Cannot be decoded',
  'unknown-signal': 'Unknown signal',
  'unit-mismatch': 'Wrong unit',
  conflict: 'Contradicts a stored reading',
  implausible: 'Implausible value',
  'too-large': 'Too large',
  'not-allowed': 'Not allowed for this device',
}

const columns: readonly { readonly title: string; readonly cell: (frame: Frame) => ReactNode }[] = [
  { title: 'Received', cell: (frame) => <Age at={frame.receivedAt} /> },
  { title: 'Why', cell: (frame) => <strong>{reasonWords[frame.reason]}</strong> },
  { title: 'What to do', cell: (frame) => frame.message },
  { title: 'Where', cell: (frame) => <code>{frame.pointer || 'whole message'}</code> },
  { title: 'Door', cell: (frame) => `${frame.door}, ${bytesText(frame.bytes)}` },
]

export function QuarantinePage() {
  useTitle('Quarantine')
  return (
    <WithRight resource="quarantine" what="Quarantine">
      <Quarantined />
    </WithRight>
  )
}

function Quarantined() {
  const search = useSearch({ from: '/staff/quarantine' })
  const { status = 'held', reason, frame } = search
  const navigate = useNavigate()
  const go = (next: QuarantineSearch) => void navigate({ to: '/quarantine', search: next })
  const list = useQuery(queries.quarantine(status, reason))
  const counts = useQuery(queries.quarantineCounts).data?.counts ?? []
  const open = list.data?.items.find((each) => each.id === frame)
  return (
    <Page title="Quarantine" beside={<Filters search={search} counts={counts} onChange={go} />}>
      {list.isPending ? <Loading /> : null}
      {list.isError && list.data === undefined ? (
        <Failed what="The quarantine could not be read" error={list.error} onRetry={() => void list.refetch()} />
      ) : null}
      {list.isRefetchError ? (
        <NotRenewed error={list.error} readAt={list.dataUpdatedAt} onRetry={() => void list.refetch()} />
      ) : null}
      {list.data?.items.length === 0 ? status === 'held' && reason === undefined ? empty : <Text>None.</Text> : null}
      {list.data === undefined || list.data.items.length === 0 ? null : (
        <Frames frames={list.data.items} more={list.data.next !== null} onOpen={(id) => go({ ...search, frame: id })} />
      )}
      <Drawer
        opened={open !== undefined}
        onClose={() => go({ ...search, frame: undefined as never })}
        position="right"
        size="lg"
        title="Message in quarantine"
        closeButtonProps={{ 'aria-label': 'Close the message', size: 'lg' }}
      >
        {open === undefined ? null : (
          <FramePane frame={open} onSettled={() => go({ ...search, frame: undefined as never })} />
        )}
      </Drawer>
    </Page>
  )
}

interface FiltersProps {
  readonly search: QuarantineSearch
  readonly counts: z.infer<typeof QuarantineCounts>['counts']
  readonly onChange: (search: QuarantineSearch) => void
}

function Filters({ search, counts, onChange }: FiltersProps) {
  const { status = 'held', reason } = search
  const of = (wanted: string, why?: string) =>
    counts
      .filter((each) => each.status === wanted && (why === undefined || each.reason === why))
      .reduce((sum, each) => sum + each.count, 0)
  const reasons = [...new Set(counts.filter((each) => each.status === status).map((each) => each.reason))].sort()
  return (
    <>
      <SegmentedControl
        aria-label="Status"
        value={status}
        onChange={(value) => onChange({ status: value as QuarantineStatus })}
        data={statuses.map((each) => ({ value: each, label: `${statusWords[each]} ${of(each)}` }))}
      />
      <NativeSelect
        aria-label="Reason"
        value={reason ?? ''}
        onChange={(event) =>
          onChange(event.currentTarget.value === '' ? { status } : { status, reason: event.currentTarget.value })
        }
        data={[
          { value: '', label: `All reasons (${of(status)})` },
          ...reasons.map((each) => ({
            value: each,
            label: `${reasonWords[each as Frame['reason']] ?? each} (${of(status, each)})`,
          })),
        ]}
      />
    </>
  )
}

function Frames({ frames, more, onOpen }: { frames: readonly Frame[]; more: boolean; onOpen: (id: string) => void }) {
  return (
    <>
      <Table.ScrollContainer minWidth={760} scrollAreaProps={{ viewportProps: { tabIndex: 0 } }}>
        <Table verticalSpacing="xs" highlightOnHover>
          <Table.Thead>
            <Table.Tr>
              {columns.map(({ title }) => (
                <Table.Th key={title}>{title}</Table.Th>
              ))}
              <Table.Th>Open</Table.Th>
            </Table.Tr>
          </Table.Thead>
          <Table.Tbody>
            {frames.map((frame) => (
              <Table.Tr key={frame.id}>
                {columns.map(({ title, cell }) => (
                  <Table.Td key={title}>{cell(frame)}</Table.Td>
                ))}
                <Table.Td>
                  <Button variant="default" size="xs" onClick={() => onOpen(frame.id)}>
                    Look
                  </Button>
                </Table.Td>
              </Table.Tr>
            ))}
          </Table.Tbody>
        </Table>
      </Table.ScrollContainer>
      {more ? (
        <Text c="dimmed">
          The newest {countText(frames.length, 'message')}. Older ones follow as these are settled.
        </Text>
      ) : null}
    </>
  )
}
