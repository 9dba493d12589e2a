/** A consent is taken down: who, what, until when, and how it was made sure that the person meant it. */
import type { ConsentView, NewConsent, SignalClass } from '@careloop/contract'
import { Checkbox, NativeSelect, SegmentedControl, Text, TextInput } from '@mantine/core'
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { type FormEvent, useState } from 'react'
import { accessQueries } from '../../api/access-queries.ts'
import { call } from '../../api/client.ts'
import { endpoints } from '../../api/endpoints.ts'
import { FormFoot, Refusal, refusalAt } from '../../parts/refusal.tsx'
import { useOffline } from '../../parts/why-not.ts'
import { classWords, howWords } from './consent-words.ts'

type Kind = ConsentView['grantee']['kind']
const kinds: readonly { readonly value: Kind; readonly label: string }[] = [
  { value: 'caregiver', label: 'A caregiver' },
  { value: 'integration', label: 'Another system' },
  { value: 'treatment', label: 'All treatment' },
  { value: 'research', label: 'A study' },
]
const classes = Object.keys(classWords) as SignalClass[]

export function RecordConsent({ subject, onEnd }: { subject: string; onEnd: () => void }) {
  const client = useQueryClient()
  const why = useOffline()
  const [kind, setKind] = useState<Kind>('caregiver')
  const record = useMutation({
    mutationFn: (body: NewConsent) => call(endpoints.recordConsent, { params: { id: subject }, body }),
    onSuccess: async () => {
      await client.invalidateQueries({ queryKey: ['consents', subject] })
      onEnd()
    },
  })
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault()
    record.mutate(consentOf(new FormData(event.currentTarget), kind))
  }
  return (
    <form onSubmit={submit}>
      <NativeSelect
        label="For whom"
        size="md"
        data={[...kinds]}
        value={kind}
        onChange={(event) => setKind(event.currentTarget.value as Kind)}
      />
      <Grantee subject={subject} kind={kind} error={refusalAt(record.error, '/body/grantee/id')} />
      <SegmentedControl
        mt="md"
        name="decision"
        aria-label="What the person says"
        data={[
          { value: 'permit', label: 'May see' },
          { value: 'deny', label: 'May not see' },
        ]}
      />
      <Checkbox.Group label="What" description="Nothing ticked = everything that is measured" mt="md">
        {classes.map((each) => (
          <Checkbox key={each} name="classes" value={each} label={classWords[each]} mt="xs" size="md" />
        ))}
      </Checkbox.Group>
      <Checkbox
        name="part2"
        mt="md"
        size="md"
        label="Also records of treatment for substance use (42 CFR Part 2)"
        description="Only with this are they shared; a notice goes with them that forbids passing them on."
      />
      <TextInput
        label="Until"
        description="Left empty: until it is withdrawn"
        type="date"
        name="until"
        size="md"
        mt="md"
        error={refusalAt(record.error, '/body/until')}
      />
      <NativeSelect
        label="How the person said so"
        name="how"
        size="md"
        mt="md"
        data={Object.entries(howWords)
          .filter(([value]) => value !== 'own-account')
          .map(([value, label]) => ({ value, label }))}
      />
      <TextInput label="Witness, or where the paper lies" name="note" maxLength={500} size="md" mt="md" />
      <Refusal error={record.error} shown={['/body/grantee/id', '/body/until']} />
      <FormFoot label="Record" isPending={record.isPending} onCancel={onEnd} why={why} />
    </form>
  )
}

function Grantee({ subject, kind, error }: { subject: string; kind: Kind; error: string | undefined }) {
  const accounts = useQuery({ ...accessQueries.personAccounts(subject), enabled: kind === 'caregiver' })
  if (kind === 'treatment')
    return (
      <Text mt="xs" c="dimmed">
        Whoever treats, pays for or runs this care, now and later. Their own care team needs no consent.
      </Text>
    )
  if (kind !== 'caregiver')
    return (
      <TextInput
        required
        label={kind === 'integration' ? 'Id of its service token' : 'Id of the study'}
        name="grantee"
        size="md"
        mt="md"
        error={error}
      />
    )
  const caregivers = (accounts.data?.items ?? []).filter(
    ({ kind, user, state }) => kind === 'caregiver' && user !== null && state === 'active',
  )
  if (accounts.data !== undefined && caregivers.length === 0)
    return (
      <Text mt="xs" role="status">
        No caregiver has an account yet. Invite one first, under Patient and caregivers.
      </Text>
    )
  return (
    <NativeSelect
      label="Caregiver"
      name="grantee"
      size="md"
      mt="md"
      error={error}
      data={caregivers.map(({ user, name }) => ({ value: user!, label: name ?? 'Caregiver' }))}
    />
  )
}

function consentOf(form: FormData, kind: Kind): NewConsent {
  const text = (name: string) => String(form.get(name) ?? '').trim()
  const note = text('note')
  const until = text('until')
  const grantee = text('grantee')
  return {
    decision: text('decision') === 'deny' ? 'deny' : 'permit',
    grantee: { kind, ...(kind === 'treatment' || grantee === '' ? {} : { id: grantee }) },
    classes: form.getAll('classes').map(String) as SignalClass[],
    part2: form.get('part2') !== null,
    // The day that is named is the last one.
    ...(until === '' ? {} : { until: new Date(`${until}T23:59:59.999`).getTime() }),
    verification: { how: text('how') as ConsentView['verification']['how'], ...(note === '' ? {} : { note }) },
  }
}
