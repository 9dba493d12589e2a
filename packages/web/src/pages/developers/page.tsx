/** For whoever connects another system: what this server can do, a place to try it, who is registered, what is being sent. */
import type { QueryClient } from '@tanstack/react-query'
import { useNavigate, useSearch } from '@tanstack/react-router'
import { developerQueries } from '../../api/developer-queries.ts'
import { Page, useTitle } from '../../parts/page.tsx'
import { WithRight } from '../../parts/page-state.tsx'
import { ViewChoice } from '../../parts/view-choice.tsx'
import { CapabilitiesPart } from './capabilities.tsx'
import { ConnectPart } from './connect.tsx'
import { SubscriptionsPart } from './subscriptions.tsx'
import { TryItPart } from './try-it.tsx'
import { type DeveloperView, views } from './views.ts'

export interface DevelopersSearch {
  readonly view?: DeveloperView
}

const labels: Readonly<Record<DeveloperView, string>> = {
  connect: 'Connect',
  can: 'What it can',
  try: 'Try it',
  subscriptions: 'Subscriptions',
}

export const loadDevelopers = (client: QueryClient): void => void client.prefetchQuery(developerQueries.capabilities)

export function DevelopersPage() {
  useTitle('Developers')
  return (
    <WithRight resource="system" what="Developers">
      <Developers />
    </WithRight>
  )
}

function Developers() {
  const { view = 'connect' } = useSearch({ from: '/staff/developers' })
  const navigate = useNavigate({ from: '/developers' })
  return (
    <Page
      title="Developers"
      beside={
        <ViewChoice
          {...{ views, labels, value: view }}
          onChange={(chosen) => void navigate({ search: chosen === undefined ? {} : { view: chosen } })}
        />
      }
    >
      {view === 'connect' ? <ConnectPart /> : null}
      {view === 'can' ? <CapabilitiesPart /> : null}
      {view === 'try' ? <TryItPart /> : null}
      {view === 'subscriptions' ? <SubscriptionsPart /> : null}
    </Page>
  )
}
