/** Sign-in by e-mail and password, then by a code of the authenticator app where there is one. */
import type { SignedIn } from '@careloop/contract'
import { Anchor, Button, PasswordInput, Text, TextInput } from '@mantine/core'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { Link, useNavigate, useSearch } from '@tanstack/react-router'
import { type FormEvent, useEffect, useState } from 'react'
import { ApiError, call } from '../api/client.ts'
import { endpoints } from '../api/endpoints.ts'
import { canUsePasskeys, showPasskey } from '../api/passkey.ts'
import { showOpen } from '../app/idle.ts'
import { Door, Refusal } from './door.tsx'
import { SsoEntry, SsoRefusal, secondStepsOf } from './sso-entry.tsx'

export interface SignInSearch {
  /** Path to go to afterwards. */
  readonly back?: string
  /** The session ended while a page was open. */
  readonly ended?: boolean
  /** Link of an organisation's own sign-in. */
  readonly org?: string
  /** What came of it: why not, or the second steps that are left. */
  readonly sso?: string
}

export function SignInPage() {
  const { back, ended, org, sso } = useSearch({ from: '/sign-in' })
  const navigate = useNavigate()
  const client = useQueryClient()
  const [step, setStep] = useState<'password' | Factors>(() => secondStepsOf(sso) ?? 'password')
  const [over, setOver] = useState<Error | null>(null)
  const goOn = async ({ next, factors }: SignedIn) => {
    setOver(null)
    if (next === 'second-factor') return setStep(factors ?? ['code'])
    client.clear()
    showOpen()
    const search = back === undefined ? {} : { back }
    if (next === 'signed-in') return navigate({ href: back ?? '/' })
    await navigate({ to: next === 'change-password' ? '/new-password' : '/second-factor', search })
  }
  const startOver = (error: Error) => {
    setOver(error)
    setStep('password')
  }
  useEffect(() => {
    document.title = 'Sign in · Careloop'
  }, [])
  if (step !== 'password') return <SecondStep factors={step} onDone={goOn} onOver={startOver} />
  return (
    <Door title="Sign in">
      {ended ? <Text role="status">Your session has ended. Sign in to go on where you were.</Text> : null}
      <SsoRefusal why={sso} />
      <PasswordStep onDone={goOn} over={over} />
      {canUsePasskeys() ? <PasskeyAlone onDone={goOn} /> : null}
      <SsoEntry org={org} back={back} />
      <Anchor component={Link} to="/activate" size="sm">
        You have a code of your clinic?
      </Anchor>
    </Door>
  )
}

interface StepProps {
  readonly onDone: (signedIn: SignedIn) => Promise<void> | void
}

function PasswordStep({ onDone, over }: StepProps & { over: Error | null }) {
  const signIn = useMutation({
    mutationFn: (body: { email: string; password: string }) => call(endpoints.signIn, { body }),
    onSuccess: onDone,
  })
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault()
    const form = new FormData(event.currentTarget)
    signIn.mutate({ email: String(form.get('email')).trim(), password: String(form.get('password')) })
  }
  return (
    <form onSubmit={submit}>
      <TextInput
        label="E-mail"
        description="Patients and caregivers: e-mail or telephone"
        name="email"
        inputMode="email"
        autoComplete="username"
        required
        size="md"
        autoFocus
      />
      <PasswordInput
        label="Password"
        name="password"
        autoComplete="current-password"
        required
        size="md"
        mt="md"
        mb="md"
        visibilityToggleButtonProps={{ 'aria-label': 'Show or hide the password' }}
      />
      <Refusal error={signIn.error ?? (signIn.isIdle ? over : null)} />
      <Button type="submit" fullWidth mt="md" mih={44} loading={signIn.isPending}>
        Sign in
      </Button>
    </form>
  )
}

/** Without address and password: the passkey names its person. */
function PasskeyAlone({ onDone }: StepProps) {
  const signIn = useMutation({
    async mutationFn() {
      const { options } = await call(endpoints.beginPasskeySignIn, {})
      return call(endpoints.signInByPasskey, { body: { passkey: await showPasskey(options) } })
    },
    onSuccess: onDone,
  })
  return (
    <>
      <Button variant="default" mih={44} loading={signIn.isPending} onClick={() => signIn.mutate()}>
        Use a passkey
      </Button>
      <Refusal error={signIn.error} />
    </>
  )
}

type Factors = NonNullable<SignedIn['factors']>
type SecondStepProps = StepProps & { onOver: (error: Error) => void }

function SecondStep({ factors, ...step }: SecondStepProps & { factors: Factors }) {
  const byPasskey = factors.includes('passkey') && canUsePasskeys()
  return (
    <Door title="Second step">
      {byPasskey ? <PasskeyStep {...step} /> : null}
      {factors.includes('code') ? <CodeStep {...step} autoFocus={!byPasskey} /> : null}
      <Text c="dimmed" size="sm">
        Lost what you need? An administrator can reset your second factor.
      </Text>
    </Door>
  )
}

const isOver = (error: Error): boolean => error instanceof ApiError && error.code === 'challenge-over'

function PasskeyStep({ onDone, onOver }: SecondStepProps) {
  const pass = useMutation({
    async mutationFn() {
      const { options } = await call(endpoints.beginPasskeyStep, {})
      return call(endpoints.passPasskeyStep, { body: { passkey: await showPasskey(options) } })
    },
    onSuccess: onDone,
    onError: (error) => {
      if (isOver(error)) onOver(error)
    },
  })
  return (
    <>
      <Button mih={44} loading={pass.isPending} onClick={() => pass.mutate()} autoFocus>
        Use your passkey
      </Button>
      <Refusal error={pass.error} />
    </>
  )
}

function CodeStep({ onDone, onOver, autoFocus }: SecondStepProps & { autoFocus: boolean }) {
  const pass = useMutation({
    mutationFn: (code: string) => call(endpoints.passSecondFactor, { body: { code } }),
    onSuccess: onDone,
    onError: (error) => {
      if (isOver(error)) onOver(error)
    },
  })
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault()
    pass.mutate(String(new FormData(event.currentTarget).get('code')))
  }
  return (
    <form onSubmit={submit}>
      <TextInput
        label="Code"
        description="6 digits of your authenticator app. Without your telephone: one of your backup codes."
        name="code"
        autoComplete="one-time-code"
        inputMode="text"
        autoCapitalize="characters"
        spellCheck={false}
        required
        minLength={6}
        size="md"
        mb="md"
        autoFocus={autoFocus}
      />
      <Refusal error={pass.error} />
      <Button type="submit" fullWidth mt="md" mih={44} loading={pass.isPending}>
        Sign in
      </Button>
    </form>
  )
}
