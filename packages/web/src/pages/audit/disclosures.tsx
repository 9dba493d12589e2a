/** What went outside of one record: the accounting that a patient may ask for, ready to print. */
import type { AboutWhom, DisclosureLine } from '@careloop/contract'
import { Button, Group, Text } from '@mantine/core'
import { useMutation } from '@tanstack/react-query'
import { call } from '../../api/client.ts'
import { endpoints } from '../../api/endpoints.ts'
import { useNow } from '../../app/clock.ts'
import { type Column, LongTable } from '../../parts/long-table.tsx'
import { Empty } from '../../parts/page-state.tsx'
import { Refusal, refusalAt } from '../../parts/refusal.tsx'
import { countText, momentText } from '../../parts/words.ts'
import { RecordForm } from './record-form.tsx'
import { actorWords, purposeWords, shortId } from './words.ts'

const columnsAt = (now: number): Column<DisclosureLine>[] => [
  { title: 'When', cell: ({ at }) => momentText(at, now) },
  { title: 'To whom', cell: ({ recipient }) => recipient.name ?? `${recipient.kind} ${shortId(recipient.id ?? '')}` },
  { title: 'What', cell: ({ description }) => description },
  { title: 'Why', cell: ({ purpose }) => purposeWords(purpose) },
  { title: 'Redisclosure notice', cell: ({ noticed }) => (noticed ? 'sent along' : 'not needed') },
  { title: 'By', cell: ({ by }) => actorWords(by) },
]

export function DisclosuresPart() {
  const now = useNow()
  const ask = useMutation({ mutationFn: (about: AboutWhom) => call(endpoints.disclosures, { body: { about } }) })
  const { data } = ask
  return (
    <>
      <RecordForm
        label="Show disclosures"
        isPending={ask.isPending}
        error={refusalAt(ask.error, '/body/about')}
        onAsk={(about) => ask.mutate(about)}
      />
      <Refusal error={ask.error} shown={['/body/about']} />
      {data === undefined ? (
        <Empty title="Accounting of disclosures">
          What of a patient’s record went to somebody outside, to whom and why, for six years back (45 CFR 164.528).
        </Empty>
      ) : data.items.length === 0 ? (
        <Empty title="Nothing of this record went outside">Record {data.subject}, in the last six years.</Empty>
      ) : (
        <>
          <Group mt="md" justify="space-between">
            <Text role="status">
              {countText(data.items.length, 'disclosure')} of record <code>{data.subject}</code>
            </Text>
            <Button variant="default" mih={44} onClick={() => print()}>
              Print
            </Button>
          </Group>
          <LongTable columns={columnsAt(now)} rows={data.items} keyOf={({ id }) => id} minWidth={760} />
        </>
      )}
    </>
  )
}
