/** Whose record is meant: an identifier that somebody asks with, or Careloop's own id. It stands in no URL. */
import type { AboutWhom } from '@careloop/contract'
import { Button, Group, SegmentedControl, TextInput } from '@mantine/core'
import { type FormEvent, useState } from 'react'

interface RecordFormProps {
  readonly label: string
  readonly isPending: boolean
  readonly error?: string | undefined
  readonly onAsk: (about: AboutWhom) => void
}

export function RecordForm({ label, isPending, error, onAsk }: RecordFormProps) {
  const [by, setBy] = useState<'identifier' | 'subject'>('identifier')
  const [value, setValue] = useState('')
  const submit = (event: FormEvent) => {
    event.preventDefault()
    const text = value.trim()
    if (text !== '') onAsk(by === 'identifier' ? { identifier: { value: text } } : { subject: text.toLowerCase() })
  }
  return (
    <form onSubmit={submit}>
      <Group align="flex-end" gap="sm">
        <SegmentedControl
          aria-label="Find the record by"
          value={by}
          onChange={(next) => setBy(next as 'identifier' | 'subject')}
          data={[
            { value: 'identifier', label: 'Identifier' },
            { value: 'subject', label: 'Record id' },
          ]}
        />
        <TextInput
          label={by === 'identifier' ? 'Identifier, e.g. the MRN' : 'Record id, as the trail shows it'}
          value={value}
          onChange={(event) => setValue(event.currentTarget.value)}
          error={error}
          autoComplete="off"
          spellCheck={false}
          size="md"
          w={{ base: '100%', xs: 320 }}
        />
        <Button type="submit" mih={44} loading={isPending} disabled={value.trim() === ''}>
          {label}
        </Button>
      </Group>
    </form>
  )
}
