/** For whom the role demands a second factor and who has none: the only page their session opens. */
import type { OfferedSecret } from '@careloop/contract'
import { Button, Text } from '@mantine/core'
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { Navigate, useNavigate, useSearch } from '@tanstack/react-router'
import { useEffect, useState } from 'react'
import { accountQueries } from '../../api/account-queries.ts'
import { ApiError, call } from '../../api/client.ts'
import { endpoints } from '../../api/endpoints.ts'
import { Door, Refusal } from '../door.tsx'
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
        <Start onOffered={(offered) => setStep({ is: 'confirm', offered })} onLeave={() => void signOut()} />
      ) : null}
      {step.is === 'confirm' ? (
        <ConfirmSecret offered={step.offered} onDone={(codes) => setStep({ is: 'keep', codes })} />
      ) : null}
      {step.is === 'keep' ? <KeepBackupCodes codes={step.codes} onKept={goOn} /> : null}
    </Door>
  )
}

function Start({ onOffered, onLeave }: { onOffered: (offered: OfferedSecret) => void; onLeave: () => void }) {
  const begin = useMutation({
    mutationFn: () => call(endpoints.beginSecondFactor, { body: {} }),
    onSuccess: onOffered,
  })
  return (
    <>
      <Text>
        Administrators sign in with their password and a code of an authenticator app on their telephone (Aegis, Google
        or Microsoft Authenticator, 1Password, or another). It takes a minute. Until then nothing else opens.
      </Text>
      <Refusal error={begin.error} />
      <Button mih={44} loading={begin.isPending} onClick={() => begin.mutate()} autoFocus>
        Set up an app
      </Button>
      <Button variant="subtle" mih={44} onClick={onLeave}>
        Sign out
      </Button>
    </>
  )
}
