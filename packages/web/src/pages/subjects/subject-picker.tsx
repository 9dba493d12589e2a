/** Finds one subject by name: typed words go in a body, never into a URL; the birth date stands beside each name. */
import type { SubjectKind } from '@careloop/contract'
import { Input, Radio, Stack, Text, TextInput } from '@mantine/core'
import { useDebouncedValue } from '@mantine/hooks'
import { useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { careQueries } from '../../api/care-queries.ts'

interface PickerProps {
  readonly value: string
  readonly onChange: (id: string) => void
  readonly kind?: SubjectKind
  readonly error?: string | undefined
}

const shownAtOnce = 8

export function SubjectPicker({ value, onChange, kind, error }: PickerProps) {
  const [typed, setTyped] = useState('')
  const [text] = useDebouncedValue(typed.trim(), 150)
  const found = useQuery({ ...careQueries.found(text, kind), enabled: text !== '' })
  const items = found.data?.items ?? []
  return (
    <>
      <TextInput
        label="Who or what"
        description="Type a part of the name, or the birth date."
        data-autofocus
        autoComplete="off"
        value={typed}
        onChange={(event) => {
          setTyped(event.currentTarget.value)
          onChange('')
        }}
      />
      {text !== '' && found.data !== undefined ? (
        <Text c="dimmed" role="status">
          {items.length === 0
            ? 'Nobody and nothing found.'
            : items.length > shownAtOnce
              ? `The first ${shownAtOnce} of ${items.length}: type more.`
              : `${items.length} found.`}
        </Text>
      ) : null}
      {found.isError ? <Text role="alert">{found.error.message}</Text> : null}
      {items.length === 0 ? null : (
        <Radio.Group aria-label="Found" value={value} onChange={onChange}>
          <Stack gap={0}>
            {items.slice(0, shownAtOnce).map(({ id, display, birthDate, kind }) => (
              <Radio
                key={id}
                value={id}
                py={8}
                label={`${display}${birthDate === undefined ? `, ${kindWords[kind]}` : `, born ${birthDate}`}`}
              />
            ))}
          </Stack>
        </Radio.Group>
      )}
      {error === undefined ? null : <Input.Error role="alert">{error}</Input.Error>}
    </>
  )
}

export const kindWords: Readonly<Record<SubjectKind, string>> = { patient: 'person', asset: 'thing', location: 'place' }
