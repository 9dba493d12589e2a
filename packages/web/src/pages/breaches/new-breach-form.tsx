/** Opens an assessment: what happened, since when it is known, whose access it was and in which time. */
import type { BreachView } from '@careloop/contract'
import { MultiSelect, Stack, Text, Textarea, TextInput } from '@mantine/core'
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { type FormEvent, useState } from 'react'
import { accountQueries } from '../../api/account-queries.ts'
import { call } from '../../api/client.ts'
import { complianceQueries } from '../../api/compliance-queries.ts'
import { endpoints } from '../../api/endpoints.ts'
import { useNow } from '../../app/clock.ts'
import { FormFoot, Refusal, refusalAt } from '../../parts/refusal.tsx'
import { useOffline } from '../../parts/why-not.ts'
import { viewerZone } from '../../parts/words.ts'

const at = (text: string): number => new Date(text).getTime()
const field = (value: string) => (value === '' ? Number.NaN : at(value))

export function NewBreachForm({ onMade, onCancel }: { onMade: (id: string) => void; onCancel: () => void }) {
  const client = useQueryClient()
  const offline = useOffline()
  const now = useNow()
  const people = useQuery(accountQueries.people)
  const [what, setWhat] = useState('')
  const [actors, setActors] = useState<string[]>([])
  const [times, setTimes] = useState({ discovered: '', from: '', to: '' })
  const make = useMutation({
    mutationFn: () =>
      call(endpoints.newBreach, {
        body: {
          ...{ what: what.trim(), discoveredAt: field(times.discovered) },
          scope: { actors: actors.map((id) => `staff:${id}`), from: field(times.from), to: field(times.to) },
        },
      }),
    async onSuccess(made: BreachView) {
      await client.invalidateQueries({ queryKey: complianceQueries.breaches.queryKey })
      onMade(made.id)
    },
  })
  const isWhole = what.trim().length >= 10 && actors.length > 0 && Object.values(times).every((each) => each !== '')
  const why = !isWhole
    ? 'Say what happened in a sentence, whose access it was, and fill in all three times.'
    : field(times.from) >= field(times.to)
      ? 'The access must begin before it ends: look at the two times.'
      : field(times.discovered) > now
        ? 'It cannot have been discovered in the future.'
        : offline
  const submit = (event: FormEvent) => {
    event.preventDefault()
    if (why === null) make.mutate()
  }
  const moment = (name: keyof typeof times, label: string, pointer: string) => (
    <TextInput
      type="datetime-local"
      label={label}
      value={times[name]}
      onChange={(event) => setTimes({ ...times, [name]: event.currentTarget.value })}
      error={refusalAt(make.error, pointer)}
    />
  )
  return (
    <form onSubmit={submit}>
      <Stack gap="sm">
        <Textarea
          label="What happened"
          description="Kept sealed. No names of patients are needed."
          autosize
          minRows={3}
          value={what}
          onChange={(event) => setWhat(event.currentTarget.value)}
          error={refusalAt(make.error, '/body/what')}
        />
        <MultiSelect
          label="Whose access it was"
          description="The accounts that were stolen or misused"
          data={(people.data?.items ?? []).map(({ id, displayName }) => ({ value: id, label: displayName }))}
          value={actors}
          onChange={setActors}
          searchable
          error={
            people.data === undefined && people.error !== null
              ? 'The accounts could not be read. Load the page again.'
              : refusalAt(make.error, '/body/scope/actors')
          }
          nothingFoundMessage="Nobody of this name"
        />
        <Text c="dimmed">Times are in {viewerZone}.</Text>
        {moment('discovered', 'Discovered', '/body/discoveredAt')}
        {moment('from', 'Access from', '/body/scope/from')}
        {moment('to', 'Access until', '/body/scope/to')}
      </Stack>
      <Refusal
        error={make.error}
        shown={['/body/what', '/body/scope/actors', '/body/discoveredAt', '/body/scope/from', '/body/scope/to']}
      />
      <FormFoot label="Compute whom it affects" isPending={make.isPending} onCancel={onCancel} why={why} />
    </form>
  )
}
