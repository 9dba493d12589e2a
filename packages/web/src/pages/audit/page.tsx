/** Audit: who looked at this patient, the whole trail, what is unusual, what went outside. Patients stand by opaque id only. */
import type { QueryClient } from '@tanstack/react-query'
import { useNavigate, useSearch } from '@tanstack/react-router'
import { complianceQueries } from '../../api/compliance-queries.ts'
import { Page, useTitle } from '../../parts/page.tsx'
import { WithRight } from '../../parts/page-state.tsx'
import { ViewChoice } from '../../parts/view-choice.tsx'
import { DisclosuresPart } from './disclosures.tsx'
import { TrailPart } from './trail.tsx'
import { UnusualPart } from './unusual.tsx'
import { type AuditView, views } from './views.ts'
import { WhoLookedPart } from './who-looked.tsx'

export interface AuditSearchParams {
  readonly view?: AuditView
}

const labels: Readonly<Record<AuditView, string>> = {
  who: 'Who looked',
  trail: 'Trail',
  unusual: 'Unusual',
  disclosures: 'Disclosures',
}

export const loadAudit = (client: QueryClient): void => void client.prefetchQuery(complianceQueries.unusual)

export function AuditPage() {
  useTitle('Audit')
  return (
    <WithRight resource="audit" what="The audit trail">
      <Audit />
    </WithRight>
  )
}

function Audit() {
  const { view = 'who' } = useSearch({ from: '/staff/audit' })
  const navigate = useNavigate({ from: '/audit' })
  return (
    <Page
      title="Audit"
      beside={
        <ViewChoice
          {...{ views, labels, value: view }}
          onChange={(chosen) => void navigate({ search: chosen === undefined ? {} : { view: chosen } })}
        />
      }
    >
      {view === 'who' ? <WhoLookedPart /> : null}
      {view === 'trail' ? <TrailPart /> : null}
      {view === 'unusual' ? <UnusualPart /> : null}
      {view === 'disclosures' ? <DisclosuresPart /> : null}
    </Page>
  )
}
