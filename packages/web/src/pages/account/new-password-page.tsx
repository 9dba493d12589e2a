/** For whom somebody else made the password: the only page their session opens, until it is their own. */
import { Button, Text } from '@mantine/core'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { useNavigate, useSearch } from '@tanstack/react-router'
import { type FormEvent, useEffect } from 'react'
import { call } from '../../api/client.ts'
import { endpoints } from '../../api/endpoints.ts'
import { NewPassword } from '../../parts/new-password.tsx'
import { refusalAt } from '../../parts/refusal.tsx'
import { Door, Refusal } from '../door.tsx'

export function NewPasswordPage() {
  const { back } = useSearch({ from: '/new-password' })
  const navigate = useNavigate()
  const client = useQueryClient()
  useEffect(() => {
    document.title = 'Your own password · Careloop'
  }, [])
  const change = useMutation({
    mutationFn: (newPassword: string) => call(endpoints.changePassword, { body: { newPassword } }),
    async onSuccess() {
      client.clear()
      await navigate({ href: back ?? '/' })
    },
  })
  const signOut = async () => {
    await call(endpoints.signOut, {}).catch(() => {})
    client.clear()
    await navigate({ to: '/sign-in', search: {} })
  }
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault()
    change.mutate(String(new FormData(event.currentTarget).get('password')))
  }
  const refused = refusalAt(change.error, '/body/newPassword')
  return (
    <Door title="Choose your own password">
      <Text>Somebody handed you the password that you have now, and knows it. Replace it; then you can go on.</Text>
      <form onSubmit={submit}>
        <NewPassword label="New password" name="password" error={refused} autoFocus />
        {refused === undefined ? <Refusal error={change.error} /> : null}
        <Button type="submit" fullWidth mt="md" mih={44} loading={change.isPending}>
          Keep this password
        </Button>
      </form>
      <Button variant="subtle" mih={44} onClick={() => void signOut()}>
        Sign out
      </Button>
    </Door>
  )
}
