/** Apps that speak FHIR with Careloop: registered, changed, switched off. For administrators. */
import type { AppBody, AppMade } from '@careloop/contract'
import { Button, Text } from '@mantine/core'
import { type QueryClient, useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import { appQueries } from '../../api/app-queries.ts'
import { call } from '../../api/client.ts'
import { endpoints } from '../../api/endpoints.ts'
import { CopyButton } from '../../parts/copy-button.tsx'
import { Dialog } from '../../parts/dialog.tsx'
import { Page, useTitle } from '../../parts/page.tsx'
import { Empty, Failed, Loading, NotRenewed, WithRight } from '../../parts/page-state.tsx'
import { FormFoot, Refusal } from '../../parts/refusal.tsx'
import rows from '../../parts/rows.module.css'
import { useOffline, useWhyNot } from '../../parts/why-not.ts'
import { AppForm, settingsOf } from './app-form.tsx'

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

type Open =
  | 'register'
  | { readonly change: AppBody }
  | { readonly made: AppMade }
  | { readonly renew: AppBody }
  | { readonly end: AppBody }
  | null

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
      <Dialogs open={open} onOpen={setOpen} />
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

function Dialogs({ open, onOpen }: { open: Open; onOpen: (open: Open) => void }) {
  const end = () => onOpen(null)
  const given = (made: AppMade) => onOpen({ made })
  return (
    <Dialog title={titleOf(open)} opened={open !== null} onClose={end} size="lg">
      {open === 'register' ? <AppForm app={null} onEnd={end} onMade={given} /> : null}
      {open !== null && open !== 'register' && 'change' in open ? (
        <AppForm app={open.change} onEnd={end} onMade={end} />
      ) : null}
      {open !== null && open !== 'register' && 'made' in open ? <Made made={open.made} onEnd={end} /> : null}
      {open !== null && open !== 'register' && 'renew' in open ? (
        <Renew app={open.renew} onEnd={end} onMade={given} />
      ) : null}
      {open !== null && open !== 'register' && 'end' in open ? <SwitchOver app={open.end} onEnd={end} /> : null}
    </Dialog>
  )
}

function titleOf(open: Open): string {
  if (open === null) return ''
  if (open === 'register') return 'Register an app'
  if ('change' in open) return `Change ${open.change.name}`
  if ('made' in open) return open.made.app.name
  if ('renew' in open) return `New secret for ${open.renew.name}`
  return `${open.end.disabledAt === null ? 'Switch off' : 'Switch on'} ${open.end.name}`
}

function Made({ made: { app, secret }, onEnd }: { made: AppMade; onEnd: () => void }) {
  return (
    <>
      <Text>
        Client id: <code>{app.id}</code> <CopyButton text={app.id} what="the client id" />
      </Text>
      {secret === null ? null : (
        <Text mt="md">
          Secret, shown this once: <code>{secret}</code> <CopyButton text={secret} what="the secret" />
        </Text>
      )}
      <Button mt="lg" mih={44} onClick={onEnd}>
        Done
      </Button>
    </>
  )
}

function useAppChange<T>(fn: () => Promise<T>, onDone: (answer: T) => void) {
  const client = useQueryClient()
  return useMutation({
    mutationFn: fn,
    async onSuccess(answer: T) {
      await client.invalidateQueries({ queryKey: ['apps'] })
      onDone(answer)
    },
  })
}

interface ConfirmProps {
  readonly app: AppBody
  readonly onEnd: () => void
}

function Renew({ app, onEnd, onMade }: ConfirmProps & { onMade: (made: AppMade) => void }) {
  const why = useOffline()
  const renew = useAppChange(() => call(endpoints.renewAppSecret, { params: { id: app.id } }), onMade)
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault()
        renew.mutate()
      }}
    >
      <Text>The secret that the app has now opens nothing from then on. Give it the new one at once.</Text>
      <Refusal error={renew.error} />
      <FormFoot label="Make a new secret" isPending={renew.isPending} onCancel={onEnd} why={why} />
    </form>
  )
}

function SwitchOver({ app, onEnd }: ConfirmProps) {
  const why = useOffline()
  const isEnabled = app.disabledAt !== null
  const body = { ...settingsOf(app), isEnabled }
  const change = useAppChange(() => call(endpoints.changeApp, { params: { id: app.id }, body }), onEnd)
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault()
        change.mutate()
      }}
    >
      <Text>
        {isEnabled
          ? 'People can allow it again. What they had allowed before stays ended.'
          : 'From the next request on it opens nothing, whoever allowed it. People are not asked for it any more.'}
      </Text>
      <Refusal error={change.error} />
      <FormFoot
        label={isEnabled ? 'Switch on' : 'Switch off'}
        isPending={change.isPending}
        onCancel={onEnd}
        why={why}
      />
    </form>
  )
}
