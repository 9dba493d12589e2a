/** Somebody makes their own account, by the one link that an administrator gave them, with its token behind `#`. */
import { Button, Text, TextInput } from '@mantine/core'
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { useNavigate } from '@tanstack/react-router'
import { type FormEvent, useEffect, useState } from 'react'
import { call } from '../api/client.ts'
import { endpoints } from '../api/endpoints.ts'
import { NewPassword } from '../parts/new-password.tsx'
import { Loading } from '../parts/page-state.tsx'
import { refusalAt } from '../parts/refusal.tsx'
import { Door, Refusal } from './door.tsx'

export function InvitationPage() {
  const [token] = useState(() => new URLSearchParams(location.hash.slice(1)).get('token') ?? '')
  useEffect(() => {
    document.title = 'Your invitation · Careloop'
    // The token leaves the address bar and the history: whoever looks over a shoulder later finds nothing.
    history.replaceState(history.state, '', '/invitation')
  }, [])
  const looked = useQuery({
    queryKey: ['invitation'],
    queryFn: () => call(endpoints.lookInvitation, { body: { token } }),
    ...{ enabled: token !== '', retry: false, staleTime: Number.POSITIVE_INFINITY, gcTime: 0 },
  })
  if (token === '')
    return (
      <Door title="Your invitation">
        <Text>
          This page needs the whole link of your invitation, with everything after <code>#</code>.
        </Text>
      </Door>
    )
  if (looked.isPending)
    return (
      <Door title="Your invitation">
        <Loading rows={3} />
      </Door>
    )
  if (looked.data === undefined)
    return (
      <Door title="Your invitation">
        <Refusal error={looked.error} />
      </Door>
    )
  const { organisation, email, roles, needsSecondFactor } = looked.data
  return (
    <Door title="Your invitation">
      <Text>
        {organisation} invites you as {roles.join(', ')}. You sign in with {email}.
      </Text>
      {needsSecondFactor ? <Text c="dimmed">A second factor is set up right afterwards.</Text> : null}
      <AcceptForm token={token} email={email} organisation={organisation} />
    </Door>
  )
}

function AcceptForm({ token, email, organisation }: Readonly<Record<'token' | 'email' | 'organisation', string>>) {
  const navigate = useNavigate()
  const client = useQueryClient()
  const accept = useMutation({
    mutationFn: async (body: { displayName: string; password: string }) => {
      await call(endpoints.acceptInvitation, { body: { token, ...body } })
      return call(endpoints.signIn, { body: { email, password: body.password } })
    },
    onSuccess: async ({ next }) => {
      client.clear()
      await (next === 'signed-in' ? navigate({ to: '/' }) : navigate({ to: '/second-factor', search: {} }))
    },
  })
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault()
    const form = new FormData(event.currentTarget)
    accept.mutate({ displayName: String(form.get('name')).trim(), password: String(form.get('password')) })
  }
  const refused = refusalAt(accept.error, '/body/password')
  return (
    <form onSubmit={submit}>
      <input type="hidden" name="username" autoComplete="username" value={email} />
      <TextInput
        label="Your name"
        description="As colleagues see it."
        name="name"
        autoComplete="name"
        required
        maxLength={200}
        size="md"
        autoFocus
      />
      <NewPassword label="Password" name="password" about={[email, organisation]} error={refused} />
      {refused === undefined ? <Refusal error={accept.error} /> : null}
      <Button type="submit" fullWidth mt="md" mih={44} loading={accept.isPending}>
        Make my account
      </Button>
    </form>
  )
}
