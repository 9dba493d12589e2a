/** The first administrator: opened by the one link that the first start prints, with its token behind `#`. */
import type { SetUp } from '@careloop/contract'
import { Button, NativeSelect, Text, TextInput } from '@mantine/core'
import { useMutation } from '@tanstack/react-query'
import { useNavigate } from '@tanstack/react-router'
import { type FormEvent, useEffect, useState } from 'react'
import { call } from '../api/client.ts'
import { endpoints } from '../api/endpoints.ts'
import { NewPassword } from '../parts/new-password.tsx'
import { Door, Refusal } from './door.tsx'

const worksAs = ['nurse', 'physician'] as const

export function SetUpPage() {
  const navigate = useNavigate()
  const [token] = useState(() => new URLSearchParams(location.hash.slice(1)).get('token') ?? '')
  useEffect(() => {
    document.title = 'First administrator · Careloop'
    // The token leaves the address bar and the history: whoever looks over a shoulder later finds nothing.
    history.replaceState(history.state, '', '/setup')
  }, [])
  const setUp = useMutation({
    mutationFn: async (body: SetUp) => {
      await call(endpoints.setUp, { body })
      return call(endpoints.signIn, { body: { email: body.email, password: body.password } })
    },
    onSuccess: () => navigate({ to: '/second-factor', search: {} }),
  })
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault()
    const form = new FormData(event.currentTarget)
    const field = (name: string) => String(form.get(name) ?? '').trim()
    const [tenantName, displayName, email] = [field('tenantName'), field('displayName'), field('email')]
    const also = worksAs.find((role) => role === field('alsoWorksAs'))
    const alsoWorksAs = also === undefined ? {} : { alsoWorksAs: also }
    setUp.mutate({ token, tenantName, displayName, email, password: String(form.get('password')), ...alsoWorksAs })
  }
  if (token === '')
    return (
      <Door title="First administrator">
        <Text>
          This page needs the whole link that Careloop printed when it started, with everything after <code>#</code>.
          Start Careloop again for a new one.
        </Text>
      </Door>
    )
  return (
    <Door title="First administrator">
      <Text c="dimmed">You set up Careloop for your organisation. Others are added by you afterwards.</Text>
      <form onSubmit={submit}>
        <TextInput label="Organisation" name="tenantName" required maxLength={200} size="md" autoFocus />
        <TextInput
          label="Your name"
          name="displayName"
          autoComplete="name"
          required
          maxLength={200}
          size="md"
          mt="md"
        />
        <TextInput label="E-mail" name="email" type="email" autoComplete="username" required size="md" mt="md" />
        <NewPassword label="Password" name="password" />
        <NativeSelect
          mt="md"
          label="Do you also work with patients?"
          description="An administrator alone sets up, and sees no patient."
          name="alsoWorksAs"
          data={[
            { value: '', label: 'No' },
            { value: 'nurse', label: 'Yes, as a nurse' },
            { value: 'physician', label: 'Yes, as a physician' },
          ]}
          size="md"
          mb="md"
        />
        <Refusal error={setUp.error} />
        <Button type="submit" fullWidth mt="md" mih={44} loading={setUp.isPending}>
          Set up
        </Button>
      </form>
    </Door>
  )
}
