/** A patient, or somebody who cares for one, makes their account with the code that their clinic gave them on paper. */
import type { ActivatePerson } from '@careloop/contract'
import { Anchor, Button, SegmentedControl, Text, TextInput } from '@mantine/core'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { Link, useNavigate } from '@tanstack/react-router'
import { type FormEvent, useEffect, useState } from 'react'
import { call } from '../api/client.ts'
import { endpoints } from '../api/endpoints.ts'
import { NewPassword } from '../parts/new-password.tsx'
import { refusalAt } from '../parts/refusal.tsx'
import { Door, Refusal } from './door.tsx'

export function ActivatePage() {
  const [kind, setKind] = useState<'patient' | 'caregiver'>('patient')
  const navigate = useNavigate()
  const client = useQueryClient()
  useEffect(() => {
    document.title = 'Make your account · Careloop'
  }, [])
  const activate = useMutation({
    mutationFn: async (body: ActivatePerson) => {
      await call(endpoints.activatePerson, { body })
      return call(endpoints.signIn, { body: { email: body.login, password: body.password } })
    },
    onSuccess: async () => {
      client.clear()
      await navigate({ to: '/today' })
    },
  })
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault()
    const form = new FormData(event.currentTarget)
    const field = (name: string) => String(form.get(name) ?? '').trim()
    const name = kind === 'caregiver' ? { name: field('name') } : {}
    const [code, birthDate, login] = [field('code'), field('birthDate'), field('login')]
    activate.mutate({ code, birthDate, login, ...name, password: String(form.get('password')) })
  }
  const refused = refusalAt(activate.error, '/body/password')
  return (
    <Door title="Make your account">
      <Text c="dimmed">You need the code that your clinic gave you.</Text>
      <form onSubmit={submit}>
        <SegmentedControl
          fullWidth
          orientation="vertical"
          aria-label="For whom the code is"
          value={kind}
          onChange={(value) => setKind(value as typeof kind)}
          data={[
            { value: 'patient', label: 'I am the patient' },
            { value: 'caregiver', label: 'I care for a patient' },
          ]}
          mb="md"
        />
        <TextInput
          label="Code"
          description="15 letters and digits. Small or capital, with or without hyphens."
          name="code"
          autoComplete="off"
          autoCapitalize="characters"
          spellCheck={false}
          required
          size="md"
        />
        <TextInput
          label={kind === 'patient' ? 'Your date of birth' : 'The patient’s date of birth'}
          name="birthDate"
          type="date"
          required
          size="md"
          mt="md"
        />
        {kind === 'caregiver' ? (
          <TextInput
            label="Your name"
            description="The patient and their clinicians see it."
            name="name"
            autoComplete="name"
            required
            maxLength={200}
            size="md"
            mt="md"
          />
        ) : null}
        <TextInput
          label="E-mail or telephone"
          description="You sign in with it. A telephone number with its country code: +43 664 123456."
          name="login"
          autoComplete="username"
          required
          size="md"
          mt="md"
        />
        <NewPassword label="Password" name="password" error={refused} />
        {refused === undefined ? <Refusal error={activate.error} /> : null}
        <Button type="submit" fullWidth mt="md" mih={44} loading={activate.isPending}>
          Make my account
        </Button>
      </form>
      <Text mt="md">
        You have one already?{' '}
        <Anchor component={Link} to="/sign-in">
          Sign in
        </Anchor>
      </Text>
    </Door>
  )
}
