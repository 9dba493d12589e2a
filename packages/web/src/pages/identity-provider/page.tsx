/** Where staff of this organisation sign in: its own identity provider, set up and tried by an administrator. */
import type { IdentityProvider } from '@careloop/contract'
import { Button, Text } from '@mantine/core'
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { useSearch } from '@tanstack/react-router'
import { useState } from 'react'
import { accessQueries } from '../../api/access-queries.ts'
import { call } from '../../api/client.ts'
import { endpoints } from '../../api/endpoints.ts'
import { CopyButton } from '../../parts/copy-button.tsx'
import { Dialog } from '../../parts/dialog.tsx'
import { Page, useTitle } from '../../parts/page.tsx'
import { Empty, Failed, Loading, WithRight } from '../../parts/page-state.tsx'
import { Refusal } from '../../parts/refusal.tsx'
import { Section } from '../../parts/section.tsx'
import { useWhyNot } from '../../parts/why-not.ts'
import classes from '../account/account.module.css'
import { SettingsForm } from './settings-form.tsx'

export interface IdentityProviderSearch {
  /** Roles of the trial, joined by hyphens. */
  readonly tried?: string
  readonly mfa?: string
  readonly failed?: string
}

export function IdentityProviderPage() {
  useTitle('Sign-in of your organisation')
  return (
    <WithRight resource="identity-provider" what="Sign-in of your organisation">
      <Provider />
    </WithRight>
  )
}

function Provider() {
  const { data, error, isPending, refetch } = useQuery(accessQueries.identityProvider)
  const [editing, setEditing] = useState(false)
  const why = useWhyNot('update', 'identity-provider')
  const beside = (
    <Button mih={44} disabled={why !== null} title={why ?? undefined} onClick={() => setEditing(true)}>
      {data ? 'Change' : 'Set up'}
    </Button>
  )
  return (
    <Page title="Sign-in of your organisation" beside={data === undefined ? null : beside}>
      {isPending ? <Loading /> : null}
      {error !== null && data === undefined ? (
        <Failed what="The settings could not be read" error={error} onRetry={() => void refetch()} />
      ) : null}
      <Trial />
      {data === null ? (
        <Empty title="No identity provider yet">
          With Entra ID, Keycloak, Okta or another OpenID Connect provider, staff sign in as they do everywhere, and
          their groups say what they may do here. Until then they sign in with e-mail and password.
        </Empty>
      ) : null}
      {data ? <Settings provider={data} /> : null}
      <Dialog title="Identity provider" size="lg" opened={editing} onClose={() => setEditing(false)}>
        <SettingsForm provider={data ?? null} onEnd={() => setEditing(false)} />
      </Dialog>
    </Page>
  )
}

const failures: Readonly<Record<string, string>> = {
  refused: 'The provider’s answer could not be verified, or it refused. Check client id, secret and redirect address.',
  expired: 'It took longer than ten minutes, or the settings changed meanwhile. Try again.',
  'no-role': 'You were recognised, and no group of yours gives a role. Check the groups claim and the groups.',
}

/** What came of the last trial; nobody was signed in by it. */
function Trial() {
  const { tried, mfa, failed } = useSearch({ from: '/staff/identity-provider' })
  if (failed !== undefined)
    return (
      <Text role="alert" fw={600}>
        The trial failed. {Object.hasOwn(failures, failed) ? failures[failed] : 'Try again.'}
      </Text>
    )
  if (tried === undefined) return null
  return (
    <Text role="status" fw={600}>
      The trial went well: you would sign in as {tried.split('-').join(', ')},{' '}
      {mfa === 'yes' ? 'with the provider’s second factor.' : 'without a second factor of the provider.'}
    </Text>
  )
}

function Settings({ provider }: { provider: IdentityProvider }) {
  const client = useQueryClient()
  const why = useWhyNot('update', 'identity-provider')
  const attempt = useMutation({
    mutationFn: () => call(endpoints.tryIdentityProvider, {}),
    onSuccess: ({ url }) => location.assign(url),
  })
  const remove = useMutation({
    mutationFn: () => call(endpoints.removeIdentityProvider, {}),
    onSuccess: () => client.invalidateQueries({ queryKey: ['identity-provider'] }),
  })
  const [sure, setSure] = useState(false)
  const link = `${location.origin}/sign-in?org=${provider.slug}`
  return (
    <>
      <Section
        title={`${provider.name} · ${provider.isEnabled ? 'on' : 'off'}`}
        beside={
          <Button
            variant="default"
            mih={44}
            disabled={why !== null}
            title={why ?? undefined}
            loading={attempt.isPending}
            onClick={() => attempt.mutate()}
          >
            Try sign-in
          </Button>
        }
      >
        <Refusal error={attempt.error} />
        <Fact name="Issuer">{provider.issuer}</Fact>
        <Fact name="Client id">{provider.clientId}</Fact>
        <Fact name="Secret">{provider.hasSecret ? 'kept, sealed' : 'none (public client)'}</Fact>
        <Fact name="Groups">
          {provider.roleMap.map(({ group, roles }) => `${group}: ${roles.join(', ')}`).join(' · ')}
        </Fact>
        <Fact name="E-mail">{provider.emailDomains.length === 0 ? 'any' : provider.emailDomains.join(', ')}</Fact>
        <Fact name="Accounts that are here already">
          {provider.linkExisting ? 'go on under a verified e-mail' : 'are not linked'}
        </Fact>
        <Fact name="Second factor">
          {provider.mfaAcr.length + provider.mfaAmr.length === 0
            ? 'Careloop asks for its own where a role demands one'
            : `of the provider counts: ${[...provider.mfaAcr, ...provider.mfaAmr].join(', ')}`}
        </Fact>
      </Section>
      <Section title="To enter at the provider">
        {provider.redirectUri === null ? (
          <Text role="alert">
            Nobody has said where browsers reach Careloop. An operator sets CARELOOP_PUBLIC_ORIGIN first.
          </Text>
        ) : (
          <>
            <Copied name="Redirect address" text={provider.redirectUri} />
            <Copied name="Back-channel logout address" text={provider.logoutUri ?? ''} />
          </>
        )}
        <Copied name="Sign-in link for staff" text={link} />
      </Section>
      <Section title="Take it away">
        <Text>Who signed in by it is signed out, and needs another way in. Accounts and what they did stay.</Text>
        <Refusal error={remove.error} />
        <Button
          variant="default"
          mih={44}
          mt="sm"
          disabled={why !== null}
          title={why ?? undefined}
          loading={remove.isPending}
          onClick={() => (sure ? remove.mutate() : setSure(true))}
        >
          {sure ? 'Yes, take it away' : 'Take the identity provider away'}
        </Button>
      </Section>
    </>
  )
}

function Fact({ name, children }: { name: string; children: React.ReactNode }) {
  return (
    <p style={{ margin: '0.25rem 0', overflowWrap: 'anywhere' }}>
      <strong>{name}:</strong> {children}
    </p>
  )
}

function Copied({ name, text }: { name: string; text: string }) {
  return (
    <div style={{ margin: '0.5rem 0' }}>
      <strong>{name}</strong>
      <code className={classes.secret} style={{ overflowWrap: 'anywhere' }}>
        {text}
      </code>
      <CopyButton text={text} what={name.toLowerCase()} />
    </div>
  )
}
