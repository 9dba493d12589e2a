/** Who works here: added, given roles, helped when a password or telephone is lost, and let go. For administrators. */
import type { InvitationMade, User } from '@careloop/contract'
import { Anchor, Button, SegmentedControl, Text } from '@mantine/core'
import { type QueryClient, useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { useState } from 'react'
import { accountQueries } from '../../api/account-queries.ts'
import { useMay } from '../../app/session.tsx'
import { Page, useTitle } from '../../parts/page.tsx'
import { Empty, Failed, Loading, NotRenewed, WithRight } from '../../parts/page-state.tsx'
import rows from '../../parts/rows.module.css'
import { useWhyNot } from '../../parts/why-not.ts'
import { countText } from '../../parts/words.ts'
import { PeopleDialogs, type PersonAct } from './dialogs.tsx'
import { Invitations, InviteDialog } from './invitations.tsx'
import { PersonRow } from './person-row.tsx'

export const loadPeople = (client: QueryClient): void => void client.prefetchQuery(accountQueries.people)

export function PeoplePage() {
  useTitle('People')
  return (
    <WithRight resource="user" what="People">
      <People />
    </WithRight>
  )
}

function People() {
  const people = useQuery(accountQueries.people)
  const { data, error, isPending, refetch } = people
  const [shown, setShown] = useState<'here' | 'gone'>('here')
  const [act, setAct] = useState<PersonAct | null>(null)
  const [inviting, setInviting] = useState(false)
  const [made, setMade] = useState<InvitationMade | null>(null)
  const maySeeProvider = useMay('read', 'identity-provider')
  const whyNotAdd = useWhyNot('create', 'user')
  const isHere = ({ endedAt }: User) => endedAt === null
  const list = data?.items.filter((each) => isHere(each) === (shown === 'here'))
  const beside = (
    <div className={rows.acts} style={{ alignItems: 'center' }}>
      <SegmentedControl
        aria-label="Who is shown"
        value={shown}
        onChange={(value) => setShown(value as typeof shown)}
        data={[
          { value: 'here', label: `Work here ${data?.items.filter(isHere).length ?? ''}` },
          { value: 'gone', label: 'Have left' },
        ]}
      />
      <Button mih={44} disabled={whyNotAdd !== null} title={whyNotAdd ?? undefined} onClick={() => setInviting(true)}>
        Invite somebody
      </Button>
      <Button
        variant="default"
        mih={44}
        disabled={whyNotAdd !== null}
        title={whyNotAdd ?? 'For somebody without e-mail: you hand a password over'}
        onClick={() => setAct({ do: 'add' })}
      >
        Add with a password
      </Button>
      {maySeeProvider ? (
        <Anchor component={Link} to="/identity-provider">
          Sign-in of your organisation
        </Anchor>
      ) : null}
    </div>
  )
  return (
    <Page title="People" beside={beside}>
      {isPending ? <Loading /> : null}
      {error !== null && data === undefined ? (
        <Failed what="The list of people could not be read" error={error} onRetry={() => void refetch()} />
      ) : null}
      {people.isRefetchError ? (
        <NotRenewed error={people.error} readAt={people.dataUpdatedAt} onRetry={() => void refetch()} />
      ) : null}
      {list?.length === 0 ? (
        <Empty title={shown === 'here' ? 'Nobody works here yet' : 'Nobody has left'}>
          {shown === 'here' ? 'Add the first person.' : 'What people did stays in the record when they leave.'}
        </Empty>
      ) : null}
      {list === undefined || list.length === 0 ? null : (
        <>
          <ul className={rows.rows} aria-label="People">
            {list.map((person) => (
              <PersonRow key={person.id} person={person} onAct={setAct} />
            ))}
          </ul>
          <Text c="dimmed" mt="sm">
            {countText(list.length, 'person', 'people')}
          </Text>
        </>
      )}
      <Invitations onMade={setMade} />
      <InviteDialog
        opened={inviting}
        made={made}
        onMade={setMade}
        onEnd={() => {
          setInviting(false)
          setMade(null)
        }}
      />
      <PeopleDialogs act={act} onEnd={() => setAct(null)} />
    </Page>
  )
}
