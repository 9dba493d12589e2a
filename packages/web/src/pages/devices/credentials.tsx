/** Credentials of a device: made and shown once, listed without their secrets, revoked. */
import type { CredentialView, DeviceCertificateIssued, DeviceView } from '@careloop/contract'
import { Button, Text } from '@mantine/core'
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import { careQueries } from '../../api/care-queries.ts'
import { call } from '../../api/client.ts'
import { endpoints } from '../../api/endpoints.ts'
import { useNow } from '../../app/clock.ts'
import { useMay } from '../../app/session.tsx'
import { CopyButton } from '../../parts/copy-button.tsx'
import { Dialog } from '../../parts/dialog.tsx'
import { Failed, Loading } from '../../parts/page-state.tsx'
import { FormFoot, Refusal } from '../../parts/refusal.tsx'
import rows from '../../parts/rows.module.css'
import { Section } from '../../parts/section.tsx'
import { useOffline, useWhyNot } from '../../parts/why-not.ts'
import { momentText } from '../../parts/words.ts'
import classes from './devices.module.css'
import { usable } from './steps.ts'

/** What was made on this page and is shown until it is left: nowhere else is it kept. */
export interface ShownSecret {
  readonly token: string | undefined
  readonly certificate: DeviceCertificateIssued | undefined
  readonly setToken: (token: string) => void
  readonly setCertificate: (certificate: DeviceCertificateIssued) => void
}

export function useShownSecret(): ShownSecret {
  const [token, setToken] = useState<string | undefined>(undefined)
  const [certificate, setCertificate] = useState<DeviceCertificateIssued | undefined>(undefined)
  return { token, certificate, setToken, setCertificate }
}

interface CredentialsProps {
  readonly device: DeviceView
  readonly secret: ShownSecret
}

export function CredentialsPart({ device, secret }: CredentialsProps) {
  const mayRead = useMay('read', 'credential')
  const list = useQuery({ ...careQueries.credentials(device.id), enabled: mayRead })
  const [revoked, setRevoked] = useState<CredentialView | undefined>(undefined)
  if (!mayRead) return null
  return (
    <Section title="Credentials">
      <MakeCredential device={device} secret={secret} />
      {list.isPending ? <Loading rows={1} /> : null}
      {list.data === undefined && list.isError ? (
        <Failed what="The credentials could not be read" error={list.error} onRetry={() => void list.refetch()} />
      ) : null}
      {list.data?.items.length === 0 ? (
        <Text c="dimmed">None yet: without one nothing of this device is taken in.</Text>
      ) : null}
      <ul className={rows.rows} hidden={list.data === undefined || list.data.items.length === 0}>
        {list.data?.items.map((each) => (
          <CredentialRow key={each.id} each={each} onRevoke={() => setRevoked(each)} />
        ))}
      </ul>
      {revoked === undefined ? null : (
        <RevokeDialog device={device.id} of={revoked} onClose={() => setRevoked(undefined)} />
      )}
    </Section>
  )
}

/** Makes a token or a certificate; the secret is shown this once, with what to do with it. */
export function MakeCredential({ device, secret }: CredentialsProps) {
  const whyToken = useWhyNot('create', 'credential')
  const whyCertificate = useWhyNot('create', 'certificate')
  const client = useQueryClient()
  const again = () => client.invalidateQueries({ queryKey: ['devices', 'credentials', device.id] })
  const params = { id: device.id }
  const token = useMutation({
    mutationFn: () => call(endpoints.newToken, { params, body: {} }),
    onSuccess: (made) => secret.setToken(made.token),
    onSettled: again,
  })
  const certificate = useMutation({
    mutationFn: () => call(endpoints.newCertificate, { params, body: {} }),
    onSuccess: secret.setCertificate,
    onSettled: again,
  })
  return (
    <>
      <div className={classes.acts}>
        <Button
          variant="default"
          mih={44}
          loading={token.isPending}
          disabled={whyToken !== null}
          title={whyToken ?? undefined}
          onClick={() => token.mutate()}
        >
          Make a token
        </Button>
        <Button
          variant="default"
          mih={44}
          loading={certificate.isPending}
          disabled={whyCertificate !== null}
          title={whyCertificate ?? undefined}
          onClick={() => certificate.mutate()}
        >
          Make a certificate
        </Button>
      </div>
      {whyToken === null ? null : <Text c="dimmed">{whyToken}</Text>}
      <Refusal error={token.error ?? certificate.error} />
      {secret.token === undefined ? null : <Token token={secret.token} />}
      {secret.certificate === undefined ? null : <Certificate name={device.name} made={secret.certificate} />}
    </>
  )
}

function Token({ token }: { token: string }) {
  return (
    <div className={classes.secret} role="status">
      <Text fw={600}>The token is shown this once. Put it into the device now.</Text>
      <code>{token}</code>
      <div>
        <CopyButton text={token} what="the token" />
      </div>
    </div>
  )
}

function Certificate({ name, made }: { name: string; made: DeviceCertificateIssued }) {
  const now = useNow()
  return (
    <div className={classes.secret} role="status">
      <Text fw={600}>The key is given this once. Save all three files now.</Text>
      <Text>
        Good until {momentText(made.expiresAt, now)}. SHA-256 <code>{made.fingerprint}</code>
      </Text>
      <div className={classes.acts}>
        <Save text={made.certificate} file={`${name}.cert.pem`} label="Certificate" />
        {made.privateKey === undefined ? null : <Save text={made.privateKey} file={`${name}.key.pem`} label="Key" />}
        <Save text={made.authority} file={`${name}.ca.pem`} label="Authority" />
      </div>
    </div>
  )
}

function Save({ text, file, label }: { text: string; file: string; label: string }) {
  const save = () => {
    const url = URL.createObjectURL(new Blob([text], { type: 'application/x-pem-file' }))
    const link = Object.assign(document.createElement('a'), { href: url, download: file })
    link.click()
    URL.revokeObjectURL(url)
  }
  return (
    <Button variant="default" mih={44} onClick={save}>
      {label}: {file}
    </Button>
  )
}

function CredentialRow({ each, onRevoke }: { each: CredentialView; onRevoke: () => void }) {
  const now = useNow()
  const mayDelete = useMay('delete', 'credential')
  const isUsable = usable([each], now).length === 1
  return (
    <li className={rows.row}>
      <div className={rows.what}>
        {each.kind === 'token' ? 'Token' : 'Certificate'}
        {each.label === null ? '' : ` ${each.label}`}
        <div className={rows.soft}>
          made {momentText(each.createdAt, now)}
          {each.expiresAt === null
            ? ''
            : `, ${each.expiresAt > now ? 'good until' : 'ran out'} ${momentText(each.expiresAt, now)}`}
          {each.revokedAt === null ? '' : `, revoked ${momentText(each.revokedAt, now)}`}
        </div>
      </div>
      {isUsable && mayDelete ? (
        <Button
          variant="subtle"
          mih={44}
          onClick={onRevoke}
          aria-label={`Revoke the ${each.kind} made ${momentText(each.createdAt, now)}`}
        >
          Revoke
        </Button>
      ) : null}
    </li>
  )
}

function RevokeDialog({ device, of, onClose }: { device: string; of: CredentialView; onClose: () => void }) {
  const client = useQueryClient()
  const offline = useOffline()
  const revoke = useMutation({
    mutationFn: () => call(endpoints.revokeCredential, { params: { id: device, credential: of.id } }),
    async onSuccess() {
      await client.invalidateQueries({ queryKey: ['devices', 'credentials', device] })
      onClose()
    },
  })
  return (
    <Dialog opened title={`Revoke this ${of.kind}`} onClose={onClose}>
      <form
        onSubmit={(event) => {
          event.preventDefault()
          revoke.mutate()
        }}
      >
        <Text>A device that uses it is sent away at once and cannot come back with it. This cannot be undone.</Text>
        <Refusal error={revoke.error} />
        <FormFoot label="Revoke" isPending={revoke.isPending} onCancel={onClose} why={offline} />
      </form>
    </Dialog>
  )
}
