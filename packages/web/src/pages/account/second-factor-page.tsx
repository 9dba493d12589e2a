/** For whom the role demands a second factor and who has none: the only page their session opens. */
import type { OfferedSecret } from '@careloop/contract'
import { Button, Text } from '@mantine/core'
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { Navigate, useNavigate, useSearch } from '@tanstack/react-router'
import { useEffect, useState } from 'react'
import { accountQueries } from '../../api/account-queries.ts'
import { ApiError, call } from '../../api/client.ts'
import { endpoints } from '../../api/endpoints.ts'
import { canUsePasskeys, makePasskey } from '../../api/passkey.ts'
import { Door, Refusal } from '../door.tsx'
import { browserWords } from './browser-words.ts'
import { ConfirmSecret, KeepBackupCodes } from './enrol-second-factor.tsx'

export interface SecondFactorSearch {
  readonly back?: string
}

type Step =
  | { readonly is: 'start' }
  | { readonly is: 'confirm'; readonly offered: OfferedSecret }
  | { readonly is: 'keep'; readonly codes: readonly string[] }

export function SecondFactorPage() {
  const { back } = useSearch({ from: '/second-factor' })
  const navigate = useNavigate()
  const client = useQueryClient()
  const own = useQuery({ ...accountQueries.secondFactor, retry: false })
  const [step, setStep] = useState<Step>({ is: 'start' })
  useEffect(() => {
    document.title = 'Second factor · Careloop'
  }, [])
  const goOn = () => {
    client.clear()
    void navigate({ href: back ?? '/' })
  }
  const signOut = async () => {
    await call(endpoints.signOut, {}).catch(() => {})
    client.clear()
    await navigate({ to: '/sign-in', search: {} })
  }
  if (own.error instanceof ApiError && own.error.status === 401) return <Navigate to="/sign-in" search={{}} />
  if (own.data?.isOn && step.is === 'start') return <Navigate to="/account" />
  return (
    <Door title={step.is === 'keep' ? 'Keep your backup codes' : 'Set up your second factor'}>
      {step.is === 'start' ? (
        <Start
          onOffered={(offered) => setStep({ is: 'confirm', offered })}
          onMade={(codes) => setStep({ is: 'keep', codes })}
          onLeave={() => void signOut()}
        />
      ) : null}
      {step.is === 'confirm' ? (
        <ConfirmSecret offered={step.offered} onDone={(codes) => setStep({ is: 'keep', codes })} />
      ) : null}
      {step.is === 'keep' ? <KeepBackupCodes codes={step.codes} onKept={goOn} /> : null}
    </Door>
  )
}

interface StartProps {
  readonly onOffered: (offered: OfferedSecret) => void
  /** A passkey was taken on. */
  readonly onMade: (codes: readonly string[]) => void
  readonly onLeave: () => void
}

function Start({ onOffered, onMade, onLeave }: StartProps) {
  const begin = useMutation({
    mutationFn: () => call(endpoints.beginSecondFactor, { body: {} }),
    onSuccess: onOffered,
  })
  const addPasskey = useMutation({
    async mutationFn() {
      const { options } = await call(endpoints.beginPasskey, { body: {} })
      const passkey = await makePasskey(options)
      return call(endpoints.addPasskey, { body: { name: browserWords(navigator.userAgent), passkey } })
    },
    onSuccess: ({ codes }) => onMade(codes),
  })
  return (
    <>
      <Text>
        Your role signs in with more than a password: with a passkey (the fingerprint, face or PIN of this device or of
        a security key), or with a code of an authenticator app on your telephone. It takes a minute. Until then nothing
        else opens.
      </Text>
      <Refusal error={begin.error ?? addPasskey.error} />
      {canUsePasskeys() ? (
        <Button mih={44} loading={addPasskey.isPending} onClick={() => addPasskey.mutate()} autoFocus>
          Make a passkey
        </Button>
      ) : null}
      <Button variant="default" mih={44} loading={begin.isPending} onClick={() => begin.mutate()}>
        Set up an app
      </Button>
      <Button variant="subtle" mih={44} onClick={onLeave}>
        Sign out
      </Button>
    </>
  )
}
