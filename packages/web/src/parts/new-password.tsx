/** A field for a new password that says, while it is typed, what it still needs. The server judges it; this only helps. */
import { PasswordInput } from '@mantine/core'
import { useState } from 'react'
import { passwordHint } from './password-hint.ts'

interface NewPasswordProps {
  readonly label: string
  readonly name: string
  /** What a guesser would try: name, address, organisation. */
  readonly about?: readonly string[]
  /** What the server refused. */
  readonly error?: string | undefined
  readonly also?: string
  readonly autoFocus?: boolean
}

export function NewPassword({ label, name, about = [], error, also = '', autoFocus = false }: NewPasswordProps) {
  const [typed, setTyped] = useState('')
  return (
    <PasswordInput
      label={label}
      name={name}
      description={<span aria-live="polite">{`${passwordHint(typed, about)}${also === '' ? '' : ` ${also}`}`}</span>}
      autoComplete="new-password"
      required
      minLength={12}
      maxLength={256}
      size="md"
      mt="md"
      autoFocus={autoFocus}
      onChange={(event) => setTyped(event.currentTarget.value)}
      error={error}
      visibilityToggleButtonProps={{ 'aria-label': 'Show or hide the password' }}
    />
  )
}
