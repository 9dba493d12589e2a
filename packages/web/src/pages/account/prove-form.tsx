/** Shows that it is oneself before the account is changed: the password, and what there is already beside it. */
import type { OwnSecondFactor, PasskeyAnswer } from '@careloop/contract'
import { Button, PasswordInput, Text, TextInput } from '@mantine/core'
import { useMutation } from '@tanstack/react-query'
import { type FormEvent, type ReactNode, useRef } from 'react'
import { call } from '../../api/client.ts'
import { endpoints } from '../../api/endpoints.ts'
import { canUsePasskeys, showPasskey } from '../../api/passkey.ts'
import { FormFoot, Refusal, refusalAt } from '../../parts/refusal.tsx'

export interface Shown {
  readonly password: string
  readonly code: string
  /** In place of the code. */
  readonly passkey?: PasskeyAnswer
}

interface ProveFormProps {
  readonly own: OwnSecondFactor
  readonly withPassword?: boolean
  readonly error: Error | null
  readonly isPending: boolean
  readonly onShown: (shown: Shown) => void
  readonly onCancel: () => void
  readonly children?: ReactNode
}

export function ProveForm({ own, withPassword = true, error, isPending, onShown, onCancel, children }: ProveFormProps) {
  const form = useRef<HTMLFormElement>(null)
  const typed = () => {
    const fields = new FormData(form.current!)
    return { password: String(fields.get('password') ?? ''), code: String(fields.get('code') ?? '') }
  }
  const byPasskey = useMutation({
    async mutationFn() {
      const { options } = await call(endpoints.askPasskey, {})
      onShown({ ...typed(), passkey: await showPasskey(options) })
    },
  })
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault()
    onShown(typed())
  }
  const hasPasskey = own.passkeys > 0 && canUsePasskeys()
  return (
    <form ref={form} onSubmit={submit}>
      {children}
      <Text>First show that it is you.</Text>
      {withPassword ? (
        <PasswordInput
          label="Password"
          name="password"
          autoComplete="current-password"
          required
          size="md"
          mt="sm"
          error={refusalAt(error, '/body/password')}
          visibilityToggleButtonProps={{ 'aria-label': 'Show or hide the password' }}
        />
      ) : null}
      {own.isOn ? (
        <TextInput
          label={own.hasApp ? 'Code of the app you have now, or a backup code' : 'Backup code'}
          name="code"
          autoComplete="one-time-code"
          required
          minLength={6}
          size="md"
          mt="sm"
          error={refusalAt(error, '/body/code')}
        />
      ) : null}
      {hasPasskey ? (
        <Button variant="default" mt="md" mih={44} loading={byPasskey.isPending} onClick={() => byPasskey.mutate()}>
          Use a passkey in place of a code
        </Button>
      ) : null}
      <Refusal error={byPasskey.error ?? error} shown={['/body/password', '/body/code']} />
      <FormFoot label="Go on" isPending={isPending} onCancel={onCancel} />
    </form>
  )
}
