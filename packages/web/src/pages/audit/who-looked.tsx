/** Everybody who came to one record, who came last first. */
import type { AboutWhom, Looker } from '@careloop/contract'
import { Text } from '@mantine/core'
import { useMutation } from '@tanstack/react-query'
import { call } from '../../api/client.ts'
import { endpoints } from '../../api/endpoints.ts'
import { useNow } from '../../app/clock.ts'
import { type Column, LongTable } from '../../parts/long-table.tsx'
import { Empty } from '../../parts/page-state.tsx'
import { Refusal, refusalAt } from '../../parts/refusal.tsx'
import { countText, momentText, viewerZone } from '../../parts/words.ts'
import { RecordForm } from './record-form.tsx'
import { actorWords, purposeWords } from './words.ts'

const columnsAt = (now: number): Column<Looker>[] => [
  { title: 'Who', cell: ({ by }) => actorWords(by) },
  { title: 'Roles', cell: ({ by }) => by.roles.join(', ') },
  { title: 'How often', cell: ({ times }) => times },
  { title: 'First', cell: ({ firstAt }) => momentText(firstAt, now) },
  { title: 'Last', cell: ({ lastAt }) => momentText(lastAt, now) },
  { title: 'What', cell: ({ actions, denied }) => `${actions.join(', ')}${denied ? ' (some refused)' : ''}` },
  { title: 'Why', cell: ({ purposes }) => purposes.map(purposeWords).join(', ') },
]

export function WhoLookedPart() {
  const now = useNow()
  const ask = useMutation({ mutationFn: (about: AboutWhom) => call(endpoints.whoLooked, { body: { about } }) })
  const { data } = ask
  return (
    <>
      <RecordForm
        label="Who looked"
        isPending={ask.isPending}
        error={refusalAt(ask.error, '/body/about')}
        onAsk={(about) => ask.mutate(about)}
      />
      <Refusal error={ask.error} shown={['/body/about']} />
      {data === undefined ? (
        <Empty title="Who looked at this patient">
          Ask with the identifier that the patient or their care team gives you. You see who came to the record in the
          last six years, and why; nothing of what stands in it. That you asked is recorded too.
        </Empty>
      ) : (
        <>
          <Text mt="md" role="status">
            {countText(data.items.length, 'person or program', 'people and programs')} came to record{' '}
            <code>{data.subject}</code>. Times are in {viewerZone}.
          </Text>
          <LongTable columns={columnsAt(now)} rows={data.items} keyOf={({ by }) => by.actor} minWidth={760} />
        </>
      )}
    </>
  )
}
