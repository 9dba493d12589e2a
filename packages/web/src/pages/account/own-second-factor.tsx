/** One's own second factor: set up, moved to another telephone, new backup codes, given up. */
import type { OfferedSecret, OwnSecondFactor as Own, Proof } from '@careloop/contract'
import { Button, Group, Text } from '@mantine/core'
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import { accountQueries } from '../../api/account-queries.ts'
import { call } from '../../api/client.ts'
import { endpoints } from '../../api/endpoints.ts'
import { Dialog } from '../../parts/dialog.tsx'
import { Failed, Loading } from '../../parts/page-state.tsx'
import { Section } from '../../parts/section.tsx'
import { countText } from '../../parts/words.ts'
import classes from './account.module.css'
import { ConfirmSecret, KeepBackupCodes } from './enrol-second-factor.tsx'
import { ProveForm, type Shown } from './prove-form.tsx'

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
    <Section title="Authenticator app and backup codes">
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
  return (
    <>
      <Text mb="sm">{standingWords(own)}</Text>
      <Group>
        <Button variant={own.isOn ? 'default' : 'filled'} mih={44} onClick={() => onDo('set-up')}>
          {own.hasApp ? 'Move to another telephone' : 'Set up an app'}
        </Button>
        {own.isOn ? (
          <Button variant="default" mih={44} onClick={() => onDo('codes')}>
            New backup codes
          </Button>
        ) : null}
        {own.isOn && !own.isNeeded ? (
          <Button variant="default" mih={44} onClick={() => onDo('remove')}>
            Give it up
          </Button>
        ) : null}
      </Group>
    </>
  )
}

function standingWords({ isOn, hasApp, isNeeded, backupCodesLeft }: Own): string {
  if (!isOn)
    return 'Off. With it, a code of your telephone is asked beside your password: a password that was seen or guessed opens nothing.'
  const what = hasApp ? 'On: sign-in asks for a code of your app.' : 'No app. Sign-in asks for your passkey.'
  const left = `${countText(backupCodesLeft, 'backup code')} left.`
  return `${what} ${left}${isNeeded ? ' Your role needs a second factor.' : ''}`
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
      predicate: ({ queryKey }) => ['second-factor', 'passkeys', 'sessions'].includes(String(queryKey[0])),
    })
  const keep = (codes: readonly string[]) => {
    void renew()
    setStep({ is: 'keep', codes })
  }
  const go = useMutation({
    mutationFn: async ({ password, code, passkey }: Shown) => {
      const factor = passkey === undefined ? { code } : { passkey }
      const proof: Proof = own.isOn ? { password, ...factor } : { password }
      if (doing === 'set-up')
        setStep({ is: 'confirm', offered: await call(endpoints.beginSecondFactor, { body: proof }) })
      else if (doing === 'codes') keep((await call(endpoints.renewBackupCodes, { body: factor })).codes)
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
  return (
    <ProveForm
      own={own}
      withPassword={doing !== 'codes'}
      error={go.error}
      isPending={go.isPending}
      onShown={(shown) => go.mutate(shown)}
      onCancel={onEnd}
    >
      {doing === 'remove' && own.passkeys > 0 ? <Text>Your passkeys are given up with it.</Text> : null}
    </ProveForm>
  )
}
