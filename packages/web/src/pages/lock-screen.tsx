/** In place of every page while the session is locked: nothing of a patient is left in the document. */
import type { Unlock } from '@careloop/contract'
import { Button, PasswordInput, Text, TextInput } from '@mantine/core'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { useNavigate } from '@tanstack/react-router'
import { type FormEvent, useEffect, useState } from 'react'
import { ApiError, call } from '../api/client.ts'
import { endpoints } from '../api/endpoints.ts'
import { canUsePasskeys, showPasskey } from '../api/passkey.ts'
import { queries } from '../api/queries.ts'
import { showOpen } from '../app/idle.ts'
import { Door, Refusal } from './door.tsx'

export function LockScreen() {
  const client = useQueryClient()
  const navigate = useNavigate()
  const [byCode, setByCode] = useState(false)
  const leave = async () => {
    client.clear()
    await navigate({ to: '/sign-in', search: { back: `${location.pathname}${location.search}`, ended: true } })
    showOpen()
  }
  const unlock = useMutation({
    mutationFn: async (body: Unlock) => {
      await call(endpoints.unlock, { body })
      await client.fetchQuery(queries.me)
    },
    onSuccess: () => showOpen(),
    onError: (error) => {
      if (error instanceof ApiError && error.code === 'not-signed-in') void leave()
    },
  })
  useEffect(() => {
    document.title = 'Locked · Careloop'
  }, [])
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault()
    const secret = String(new FormData(event.currentTarget).get('secret'))
    unlock.mutate(byCode ? { code: secret } : { password: secret })
  }
  const byPasskey = useMutation({
    async mutationFn() {
      const { options } = await call(endpoints.askPasskey, {})
      await unlock.mutateAsync({ passkey: await showPasskey(options) })
    },
  })
  const signOut = useMutation({
    mutationFn: async () => {
      await call(endpoints.signOut, {}).catch(() => {})
      client.clear()
      await navigate({ to: '/sign-in', search: {} })
      showOpen()
    },
  })
  return (
    <Door title="Locked">
      <Text role="status">What was on the screen is hidden. Unlock to go on where you were.</Text>
      <form onSubmit={submit}>
        {byCode ? (
          <TextInput
            key="code"
            label="Code of your authenticator app"
            name="secret"
            inputMode="numeric"
            autoComplete="one-time-code"
            required
            minLength={6}
            size="md"
            mb="md"
            autoFocus
          />
        ) : (
          <PasswordInput
            key="password"
            label="Password"
            name="secret"
            autoComplete="current-password"
            required
            size="md"
            mb="md"
            autoFocus
            visibilityToggleButtonProps={{ 'aria-label': 'Show or hide the password' }}
          />
        )}
        <Refusal error={unlock.error} />
        <Button type="submit" fullWidth mt="md" mih={44} loading={unlock.isPending}>
          Unlock
        </Button>
      </form>
      {canUsePasskeys() ? (
        <>
          <Button variant="default" mih={44} loading={byPasskey.isPending} onClick={() => byPasskey.mutate()}>
            Use a passkey
          </Button>
          <Refusal error={unlock.error === null ? byPasskey.error : null} />
        </>
      ) : null}
      <Button variant="default" mih={44} onClick={() => setByCode(!byCode)}>
        {byCode ? 'Use the password instead' : 'Use a code instead'}
      </Button>
      <Text c="dimmed">
        You came by your organisation’s sign-in and have no password or passkey here? Then sign in anew: “Sign in as
        somebody else” leads to the page with its button.
      </Text>
      <Button variant="subtle" mih={44} loading={signOut.isPending} onClick={() => signOut.mutate()}>
        Sign in as somebody else
      </Button>
    </Door>
  )
}
