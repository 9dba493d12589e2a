/** Another password; every other session ends. */
import { Button, PasswordInput, Text } from '@mantine/core'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { type FormEvent, useRef } from 'react'
import { call } from '../../api/client.ts'
import { endpoints } from '../../api/endpoints.ts'
import { useMe } from '../../app/session.tsx'
import { NewPassword } from '../../parts/new-password.tsx'
import { Refusal, refusalAt } from '../../parts/refusal.tsx'
import { Section } from '../../parts/section.tsx'
import classes from './account.module.css'

const eye = { 'aria-label': 'Show or hide the password' }

export function PasswordForm() {
  const client = useQueryClient()
  const me = useMe()
  const form = useRef<HTMLFormElement>(null)
  const change = useMutation({
    mutationFn: (body: { currentPassword: string; newPassword: string }) => call(endpoints.changePassword, { body }),
    onSuccess: async () => {
      form.current?.reset()
      await client.invalidateQueries({ queryKey: ['sessions'] })
    },
  })
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault()
    const fields = new FormData(event.currentTarget)
    change.mutate({ currentPassword: String(fields.get('current')), newPassword: String(fields.get('new')) })
  }
  return (
    <Section title="Password">
      <form ref={form} onSubmit={submit} className={classes.narrow}>
        <PasswordInput
          label="Current password"
          name="current"
          autoComplete="current-password"
          required
          size="md"
          error={refusalAt(change.error, '/body/currentPassword')}
          visibilityToggleButtonProps={eye}
        />
        <NewPassword
          label="New password"
          name="new"
          about={[me.displayName, me.tenant.name]}
          also="Your other sessions end."
          error={refusalAt(change.error, '/body/newPassword')}
        />
        <Refusal error={change.error} shown={['/body/currentPassword', '/body/newPassword']} />
        {change.isSuccess ? (
          <Text role="status" mt="sm">
            The password is changed. Other sessions have ended.
          </Text>
        ) : null}
        <Button type="submit" mt="md" mih={44} loading={change.isPending}>
          Change the password
        </Button>
      </form>
    </Section>
  )
}
