/**
 * Emergency access from the search for a patient: exactly who, why, and what follows from it, before it is taken. What is typed
 * here stands in no URL.
 */
import type { BreakGlass, BreakGlassReason } from '@careloop/contract'
import { Alert, Button, Radio, SegmentedControl, Stack, Text, Textarea, TextInput } from '@mantine/core'
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { useNavigate } from '@tanstack/react-router'
import { type FormEvent, useState } from 'react'
import { call } from '../../api/client.ts'
import { endpoints } from '../../api/endpoints.ts'
import { officeQueries } from '../../api/office-queries.ts'
import { useMay } from '../../app/session.tsx'
import { Dialog } from '../../parts/dialog.tsx'
import { FormFoot, Refusal, refusalAt } from '../../parts/refusal.tsx'
import { useOffline } from '../../parts/why-not.ts'
import { countText } from '../../parts/words.ts'

export const reasonWords: Readonly<Record<BreakGlassReason, string>> = {
  emergency: 'Emergency: the patient needs care now',
  unconscious: 'The patient cannot speak for themselves',
  covering: 'Covering for a colleague who cannot be reached',
  other: 'Another reason, said below',
}

interface EmergencyAccessProps {
  readonly isOpen: boolean
  readonly onOpen: () => void
  readonly onClose: () => void
}

/** For whom it is: a line below the list that leads to it. Others see nothing of it. */
export function EmergencyAccess({ isOpen, onOpen, onClose }: EmergencyAccessProps) {
  const mayTake = useMay('create', 'break-glass')
  if (!mayTake) return null
  return (
    <Text mt="md" component="div">
      Not found? You see the patients of your care teams, and those whom you have a task for.{' '}
      <Button variant="default" size="compact-md" mih={44} onClick={onOpen}>
        Emergency access
      </Button>
      <Dialog title="Emergency access" opened={isOpen} onClose={onClose} size="lg">
        {isOpen ? <EmergencyForm onClose={onClose} /> : null}
      </Dialog>
    </Text>
  )
}

type By = 'identifier' | 'name'

function EmergencyForm({ onClose }: { onClose: () => void }) {
  const [by, setBy] = useState<By>('identifier')
  const [reason, setReason] = useState<BreakGlassReason>('emergency')
  const hours = useQuery(officeQueries.ownBreakGlass).data?.hours
  const why = useOffline()
  const take = useTake()
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault()
    const form = new FormData(event.currentTarget)
    const field = (name: string) => String(form.get(name) ?? '').trim()
    const patient =
      by === 'name' ? { name: field('name'), birthDate: field('birthDate') } : { identifier: { value: field('value') } }
    take.mutate({ patient, reason, words: field('words') })
  }
  return (
    <form onSubmit={submit}>
      <Stack gap="md">
        <Alert
          color="gray"
          title={`You see this one patient for ${hours === undefined ? 'some hours' : countText(hours, 'hour')}`}
        >
          Compliance and the patient’s care team are told at once, and the access is reviewed. Every attempt is
          recorded, also one that finds nobody. It is for care that cannot wait.
        </Alert>
        <SegmentedControl
          aria-label="How the patient is named"
          value={by}
          onChange={(value) => setBy(value as By)}
          data={[
            { value: 'identifier', label: 'By a number' },
            { value: 'name', label: 'By name and birth date' },
          ]}
        />
        {by === 'identifier' ? (
          <TextInput
            label="Number"
            description="As on the wristband or the card"
            name="value"
            required
            maxLength={200}
            size="md"
            autoComplete="off"
            data-autofocus
          />
        ) : (
          <>
            <TextInput
              label="Whole name"
              description="Family and given names, spelled in full"
              name="name"
              required
              minLength={2}
              maxLength={200}
              size="md"
              autoComplete="off"
              data-autofocus
            />
            <TextInput label="Birth date" name="birthDate" type="date" required size="md" />
          </>
        )}
        <Radio.Group label="Why" value={reason} onChange={(value) => setReason(value as BreakGlassReason)}>
          <Stack gap="xs" mt="xs">
            {Object.entries(reasonWords).map(([value, label]) => (
              <Radio key={value} value={value} label={label} />
            ))}
          </Stack>
        </Radio.Group>
        <Textarea
          label="What is the matter"
          description="In a sentence, for who reviews it. Leave the patient’s name out."
          name="words"
          required
          minLength={10}
          maxLength={1000}
          rows={3}
          size="md"
          error={refusalAt(take.error, '/body/words')}
        />
      </Stack>
      <Refusal error={take.error} shown={['/body/words']} />
      <FormFoot label="Take emergency access" isPending={take.isPending} onCancel={onClose} why={why} />
    </form>
  )
}

/** Then the patient's page opens, with a banner that says until when. */
function useTake() {
  const client = useQueryClient()
  const navigate = useNavigate()
  return useMutation({
    mutationFn: (body: BreakGlass) => call(endpoints.breakGlass, { body }),
    async onSuccess({ subject }) {
      // What was not there for them a moment ago was kept as not found.
      await client.invalidateQueries({ predicate: ({ queryKey }) => queryKey[0] !== 'me' })
      await navigate({ to: '/subjects/$id', params: { id: subject } })
    },
  })
}
