/** For a caregiver: everybody whose consent stands, with what of their readings it lets be seen. The server decides both. */
import type { SubjectSummary } from '@careloop/contract'
import { Button, Text } from '@mantine/core'
import { useInfiniteQuery } from '@tanstack/react-query'
import { accessQueries } from '../../api/access-queries.ts'
import { Page } from '../../parts/page.tsx'
import { Empty, Failed, Loading } from '../../parts/page-state.tsx'
import { Section } from '../../parts/section.tsx'
import { NewestReadings } from './newest-readings.tsx'

export function CaredFor() {
  const found = useInfiniteQuery(accessQueries.caredFor)
  if (found.isPending) return <Loading />
  if (found.data === undefined)
    return <Failed what="Your page could not be read" error={found.error} onRetry={() => void found.refetch()} />
  const people = found.data.pages.flatMap(({ items }) => items)
  return (
    <Page title="People you care for">
      {people.length === 0 ? <NobodyYet /> : people.map((each) => <One key={each.id} person={each} />)}
      {found.hasNextPage ? (
        <Button
          variant="default"
          mih={44}
          mt="md"
          loading={found.isFetchingNextPage}
          onClick={() => void found.fetchNextPage()}
        >
          Show more people
        </Button>
      ) : null}
      {people.length === 0 ? null : (
        <Text mt="md" c="dimmed">
          You see only what they share with you, and they can stop at any time. Careloop does not watch over them all
          the time. If something seems wrong, call them, their clinic, or the emergency number.
        </Text>
      )}
    </Page>
  )
}

const NobodyYet = () => (
  <Empty title="Nothing is shared with you yet">
    You see a person’s readings here once that person says yes. Ask them to tell their clinic that you may see them. The
    clinic writes it down, and then the readings show up here.
  </Empty>
)

function One({ person: { id, display } }: { person: SubjectSummary }) {
  return (
    <Section title={display}>
      <NewestReadings
        subject={id}
        label={`Newest readings of ${display}`}
        none={<Text>There is no reading that is shared with you yet.</Text>}
        gone={<Text role="status">This is not shared with you any more.</Text>}
      />
    </Section>
  )
}
