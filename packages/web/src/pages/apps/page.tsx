/** Apps that speak FHIR with Careloop: registered, changed, switched off. For administrators. */
import type { AppBody } from '@careloop/contract'
import { Button, Text } from '@mantine/core'
import { type QueryClient, useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { appQueries } from '../../api/app-queries.ts'
import { CopyButton } from '../../parts/copy-button.tsx'
import { Page, useTitle } from '../../parts/page.tsx'
import { Empty, Failed, Loading, NotRenewed, WithRight } from '../../parts/page-state.tsx'
import rows from '../../parts/rows.module.css'
import { useWhyNot } from '../../parts/why-not.ts'
import { AppDialogs, type Open } from './app-dialogs.tsx'

const empty = (
  <Empty title="No app yet">
    An app of somebody else reads and writes FHIR here, in the name of whoever allows it, or by itself as a backend
    service. Register it: it gets a client id, and you say the most that it can be granted.
  </Empty>
)

export const loadApps = (client: QueryClient): void => void client.prefetchQuery(appQueries.registered)

export function AppsPage() {
  useTitle('Apps')
  return (
    <WithRight resource="app" what="Apps">
      <Apps />
    </WithRight>
  )
}

function Apps() {
  const [open, setOpen] = useState<Open>(null)
  const apps = useQuery(appQueries.registered)
  const { data, error, refetch } = apps
  const why = useWhyNot('create', 'app')
  const again = () => void refetch()
  const register = (
    <Button mih={44} disabled={why !== null} title={why ?? undefined} onClick={() => setOpen('register')}>
      Register an app
    </Button>
  )
  return (
    <Page title="Apps" beside={register}>
      {apps.isPending ? <Loading /> : null}
      {error !== null && data === undefined ? (
        <Failed what="The list of apps could not be read" error={error} onRetry={again} />
      ) : null}
      {apps.isRefetchError ? <NotRenewed error={apps.error} readAt={apps.dataUpdatedAt} onRetry={again} /> : null}
      {data === undefined ? null : <Address fhirUrl={data.fhirUrl} />}
      {data?.items.length === 0 ? empty : null}
      {data === undefined || data.items.length === 0 ? null : (
        <ul className={rows.rows} aria-label="Apps">
          {data.items.map((app) => (
            <Row key={app.id} app={app} onOpen={setOpen} />
          ))}
        </ul>
      )}
      <AppDialogs open={open} onOpen={setOpen} />
    </Page>
  )
}

function Address({ fhirUrl }: { fhirUrl: string | null }) {
  if (fhirUrl === null)
    return (
      <Text role="alert">
        Apps cannot find this server yet: it needs one address. Set CARELOOP_PUBLIC_ORIGIN and start it again.
      </Text>
    )
  return (
    <Text>
      Tell an app this FHIR address: <code>{fhirUrl}</code> <CopyButton text={fhirUrl} what="the FHIR address" />
    </Text>
  )
}

const kindWords = {
  public: 'proves nothing of itself (PKCE)',
  symmetric: 'proves itself by a secret',
  asymmetric: 'proves itself by its key',
} as const

function Row({ app, onOpen }: { app: AppBody; onOpen: (open: Open) => void }) {
  const { id, name, kind, redirectUris, scopes, disabledAt } = app
  const why = useWhyNot('update', 'app')
  const act = (label: string, open: Open) => (
    <Button
      variant="default"
      mih={44}
      disabled={why !== null}
      title={why ?? undefined}
      aria-label={`${label}: ${name}`}
      onClick={() => onOpen(open)}
    >
      {label}
    </Button>
  )
  return (
    <li className={rows.row}>
      <div className={rows.what}>
        <strong>{name}</strong> {disabledAt === null ? null : <span className={rows.tag}>switched off</span>}
        <div>
          Client id <code>{id}</code>
        </div>
        <div>
          {kindWords[kind]}
          {redirectUris.length === 0 ? ', asks by itself' : ''}
        </div>
        <div className={rows.soft}>{scopes.join(' ')}</div>
      </div>
      <div className={rows.acts}>
        {kind === 'symmetric' ? act('New secret', { renew: app }) : null}
        {act('Change', { change: app })}
        {act(disabledAt === null ? 'Switch off' : 'Switch on', { end: app })}
      </div>
    </li>
  )
}
