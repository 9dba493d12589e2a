/** Sign-in by e-mail and password. */
import { Button, PasswordInput, Text, TextInput } from '@mantine/core'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { useNavigate, useSearch } from '@tanstack/react-router'
import { type FormEvent, useEffect } from 'react'
import { call } from '../api/client.ts'
import { endpoints } from '../api/endpoints.ts'
import { Door, Refusal } from './door.tsx'

export interface SignInSearch {
  /** Path to go to afterwards. */
  readonly back?: string
  /** The session ended while a page was open. */
  readonly ended?: boolean
}

export function SignInPage() {
  const { back, ended } = useSearch({ from: '/sign-in' })
  const navigate = useNavigate()
  const client = useQueryClient()
  const signIn = useMutation({
    mutationFn: (body: { email: string; password: string }) => call(endpoints.signIn, { body }),
    onSuccess: async () => {
      client.clear()
      await navigate({ href: back ?? '/worklist' })
    },
  })
  useEffect(() => {
    document.title = 'Sign in · Careloop'
  }, [])
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault()
    const form = new FormData(event.currentTarget)
    signIn.mutate({ email: String(form.get('email')).trim(), password: String(form.get('password')) })
  }
  return (
    <Door title="Sign in">
      {ended && signIn.isIdle ? (
        <Text role="status">Your session has ended. Sign in to go on where you were.</Text>
      ) : null}
      <form onSubmit={submit}>
        <TextInput label="E-mail" name="email" type="email" autoComplete="username" required size="md" autoFocus />
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
        <Refusal error={signIn.error} />
        <Button type="submit" fullWidth mt="md" mih={44} loading={signIn.isPending}>
          Sign in
        </Button>
      </form>
    </Door>
  )
}
