/** Setting up an authenticator app: scan, give a code of it, keep the backup codes. */
import type { OfferedSecret } from '@careloop/contract'
import { Button, Checkbox, CopyButton, Text, TextInput } from '@mantine/core'
import { useMutation } from '@tanstack/react-query'
import { type FormEvent, useState } from 'react'
import { call } from '../../api/client.ts'
import { endpoints } from '../../api/endpoints.ts'
import { Refusal } from '../door.tsx'
import classes from './account.module.css'
import { QrCode } from './qr-code.tsx'

interface ConfirmProps {
  readonly offered: OfferedSecret
  readonly onDone: (backupCodes: readonly string[]) => void
}

export function ConfirmSecret({ offered, onDone }: ConfirmProps) {
  const confirm = useMutation({
    mutationFn: (code: string) => call(endpoints.confirmSecondFactor, { body: { code } }),
    onSuccess: ({ codes }) => onDone(codes),
  })
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault()
    confirm.mutate(String(new FormData(event.currentTarget).get('code')))
  }
  return (
    <>
      <Text>1. Scan this with an authenticator app on your telephone.</Text>
      <div className={classes.qr}>
        <QrCode text={offered.uri} label="QR code for your authenticator app" />
      </div>
      <div>
        <Text>No camera? Type this key into the app (time-based, 6 digits):</Text>
        <code className={classes.secret}>{offered.secret.match(/.{1,4}/g)?.join(' ')}</code>
      </div>
      <form onSubmit={submit}>
        <TextInput
          label="2. The code that the app shows now"
          name="code"
          inputMode="numeric"
          autoComplete="one-time-code"
          required
          minLength={6}
          size="md"
          mb="md"
        />
        <Refusal error={confirm.error} />
        <Button type="submit" fullWidth mt="md" mih={44} loading={confirm.isPending}>
          Confirm
        </Button>
      </form>
    </>
  )
}

/** Shown once: without a word that they were kept there is no way on. */
export function KeepBackupCodes({ codes, onKept }: { codes: readonly string[]; onKept: () => void }) {
  const [kept, setKept] = useState(false)
  return (
    <>
      <Text>
        Each of these codes lets you in once when your telephone is lost. They are shown now and never again: print
        them, or write them down and lock them away.
      </Text>
      <ul className={classes.codes} aria-label="Backup codes">
        {codes.map((code) => (
          <li key={code}>
            <code>{code}</code>
          </li>
        ))}
      </ul>
      <CopyButton value={codes.join('\n')}>
        {({ copied, copy }) => (
          <Button variant="default" mih={44} onClick={copy}>
            {copied ? 'Copied' : 'Copy all'}
          </Button>
        )}
      </CopyButton>
      <Checkbox
        label="I have kept them in a safe place"
        checked={kept}
        onChange={(event) => setKept(event.currentTarget.checked)}
        size="md"
      />
      <Button
        mih={44}
        disabled={!kept}
        onClick={onKept}
        title={kept ? undefined : 'Say that you have kept them first.'}
      >
        Go on
      </Button>
    </>
  )
}
