/** One's own second factor: set up, moved to another telephone, new backup codes, given up. */
import type { OfferedSecret, OwnSecondFactor as Own, Proof } from '@careloop/contract'
import { Button, Group, PasswordInput, Text, TextInput } from '@mantine/core'
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { type FormEvent, useState } from 'react'
import { accountQueries } from '../../api/account-queries.ts'
import { call } from '../../api/client.ts'
import { endpoints } from '../../api/endpoints.ts'
import { Dialog } from '../../parts/dialog.tsx'
import { Failed, Loading } from '../../parts/page-state.tsx'
import { FormFoot, Refusal, refusalAt } from '../../parts/refusal.tsx'
import { Section } from '../../parts/section.tsx'
import { countText } from '../../parts/words.ts'
import classes from './account.module.css'
import { ConfirmSecret, KeepBackupCodes } from './enrol-second-factor.tsx'

type Doing = 'set-up' | 'codes' | 'remove'

const titles: Readonly<Record<Doing, string>> = {
  'set-up': 'Set up an authenticator app',
  codes: 'New backup codes',
  remove: 'Give up the second factor',
}

export function OwnSecondFactor() {
  const { data, error, isPending, refetch } = useQuery(accountQueries.secondFactor)
  const [doing, setDoing] = useState<Doing | null>(null)
  return (
    <Section title="Second factor">
      {isPending ? <Loading rows={1} /> : null}
      {error !== null && data === undefined ? (
        <Failed what="Your second factor could not be read" error={error} onRetry={() => void refetch()} />
      ) : null}
      {data === undefined ? null : <Standing own={data} onDo={setDoing} />}
      <Dialog title={doing === null ? '' : titles[doing]} opened={doing !== null} onClose={() => setDoing(null)}>
        {doing === null || data === undefined ? null : <Steps doing={doing} own={data} onEnd={() => setDoing(null)} />}
      </Dialog>
    </Section>
  )
}

function Standing({ own, onDo }: { own: Own; onDo: (doing: Doing) => void }) {
  if (!own.isOn)
    return (
      <>
        <Text mb="sm">
          Off. With it, a code of your telephone is asked beside your password: a password that was seen or guessed
          opens nothing.
        </Text>
        <Button mih={44} onClick={() => onDo('set-up')}>
          Set up an app
        </Button>
      </>
    )
  return (
    <>
      <Text mb="sm">
        On: sign-in asks for a code of your app. {countText(own.backupCodesLeft, 'backup code')} left.
        {own.isNeeded ? ' Your role needs it.' : ''}
      </Text>
      <Group>
        <Button variant="default" mih={44} onClick={() => onDo('set-up')}>
          Move to another telephone
        </Button>
        <Button variant="default" mih={44} onClick={() => onDo('codes')}>
          New backup codes
        </Button>
        {own.isNeeded ? null : (
          <Button variant="default" mih={44} onClick={() => onDo('remove')}>
            Give it up
          </Button>
        )}
      </Group>
    </>
  )
}

type Step =
  | { readonly is: 'prove' }
  | { readonly is: 'confirm'; readonly offered: OfferedSecret }
  | { readonly is: 'keep'; readonly codes: readonly string[] }

function Steps({ doing, own, onEnd }: { doing: Doing; own: Own; onEnd: () => void }) {
  const client = useQueryClient()
  const [step, setStep] = useState<Step>({ is: 'prove' })
  const renew = () =>
    client.invalidateQueries({
      predicate: ({ queryKey }) => ['second-factor', 'sessions'].includes(String(queryKey[0])),
    })
  const keep = (codes: readonly string[]) => {
    void renew()
    setStep({ is: 'keep', codes })
  }
  const go = useMutation({
    mutationFn: async ({ password, code }: { password: string; code: string }) => {
      const proof: Proof = own.isOn ? { password, code } : { password }
      if (doing === 'set-up')
        setStep({ is: 'confirm', offered: await call(endpoints.beginSecondFactor, { body: proof }) })
      else if (doing === 'codes') keep((await call(endpoints.renewBackupCodes, { body: { code } })).codes)
      else {
        await call(endpoints.removeSecondFactor, { body: proof })
        await renew()
        onEnd()
      }
    },
  })
  if (step.is === 'confirm')
    return (
      <div className={classes.stack}>
        <ConfirmSecret offered={step.offered} onDone={keep} />
      </div>
    )
  if (step.is === 'keep')
    return (
      <div className={classes.stack}>
        <KeepBackupCodes codes={step.codes} onKept={onEnd} />
      </div>
    )
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault()
    const form = new FormData(event.currentTarget)
    go.mutate({ password: String(form.get('password') ?? ''), code: String(form.get('code') ?? '') })
  }
  return (
    <form onSubmit={submit}>
      <Text>First show that it is you.</Text>
      {doing === 'codes' ? null : (
        <PasswordInput
          label="Password"
          name="password"
          autoComplete="current-password"
          required
          size="md"
          mt="sm"
          error={refusalAt(go.error, '/body/password')}
          visibilityToggleButtonProps={{ 'aria-label': 'Show or hide the password' }}
        />
      )}
      {own.isOn ? (
        <TextInput
          label="Code of the app you have now, or a backup code"
          name="code"
          autoComplete="one-time-code"
          required
          minLength={6}
          size="md"
          mt="sm"
          error={refusalAt(go.error, '/body/code')}
        />
      ) : null}
      <Refusal error={go.error} shown={['/body/password', '/body/code']} />
      <FormFoot label="Go on" isPending={go.isPending} onCancel={onEnd} />
    </form>
  )
}
