/** Takes in a person, a thing or a place; then its own page, where it is enrolled and wears a device. */
import type { NewSubject, SubjectKind } from '@careloop/contract'
import { NativeSelect, SegmentedControl, SimpleGrid, Text, TextInput } from '@mantine/core'
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { useNavigate } from '@tanstack/react-router'
import { useState } from 'react'
import { careQueries } from '../../api/care-queries.ts'
import { call } from '../../api/client.ts'
import { endpoints } from '../../api/endpoints.ts'
import { queries } from '../../api/queries.ts'
import { serverNow } from '../../app/clock.ts'
import { useMay, useMe } from '../../app/session.tsx'
import { Dialog } from '../../parts/dialog.tsx'
import { FormFoot, Refusal, refusalAt } from '../../parts/refusal.tsx'
import { useOffline } from '../../parts/why-not.ts'
import { viewerZone } from '../../parts/words.ts'
import { type DraftField, emptyDraft, newSubjectOf, pointers, problemsOf, type SubjectDraft } from './subject-draft.ts'

const kinds = [
  { value: 'patient', label: 'Person' },
  { value: 'asset', label: 'Thing' },
  { value: 'location', label: 'Place' },
]

interface NewSubjectProps {
  readonly kind: SubjectKind
  readonly onClose: () => void
}

export function NewSubjectDialog(props: NewSubjectProps) {
  return (
    <Dialog opened title="Take in" size="lg" onClose={props.onClose}>
      <Form {...props} />
    </Dialog>
  )
}

/** Roles that see no people take in none: the server holds to it, the form does not offer it. */
export function useOffersPeople(): boolean {
  const { roles } = useMe()
  return roles.some((role) => role === 'nurse' || role === 'physician' || role === 'administrator')
}

interface PartProps {
  readonly draft: SubjectDraft
  readonly change: (more: Partial<SubjectDraft>) => void
  readonly of: (field: DraftField) => string | undefined
}

function Form({ kind, onClose }: NewSubjectProps) {
  const offersPeople = useOffersPeople()
  const [draft, setDraft] = useState(() => emptyDraft(offersPeople ? kind : 'asset', viewerZone))
  const [isChecked, setChecked] = useState(false)
  const offline = useOffline()
  const save = useTakenIn()
  const wrong = problemsOf(draft, new Intl.DateTimeFormat('en-CA').format(serverNow()))
  const change = (more: Partial<SubjectDraft>) => setDraft((before) => ({ ...before, ...more }))
  const of = (field: DraftField) =>
    (isChecked ? wrong[field] : undefined) ??
    pointers[field].map((pointer) => refusalAt(save.error, pointer)).find((each) => each !== undefined)
  const parts = { draft, change, of }
  return (
    <form
      noValidate
      onSubmit={(event) => {
        event.preventDefault()
        setChecked(true)
        if (Object.keys(wrong).length === 0) save.mutate(newSubjectOf(draft))
      }}
    >
      {offersPeople ? (
        <SegmentedControl
          aria-label="Kind"
          data={kinds}
          value={draft.kind}
          onChange={(value) => change({ kind: value as SubjectKind })}
        />
      ) : (
        <SegmentedControl
          aria-label="Kind"
          data={kinds.slice(1)}
          value={draft.kind}
          onChange={(value) => change({ kind: value as SubjectKind })}
        />
      )}
      {draft.kind === 'patient' ? <PersonFields {...parts} /> : <ThingFields {...parts} />}
      <PlaceFields {...parts} />
      <Refusal error={save.error} shown={Object.values(pointers).flat()} />
      <FormFoot label="Take in" isPending={save.isPending} onCancel={onClose} why={offline} />
    </form>
  )
}

function PersonFields({ draft, change, of }: PartProps) {
  return (
    <SimpleGrid cols={{ base: 1, xs: 2 }} mt="sm">
      <TextInput
        label="Given names"
        autoComplete="off"
        value={draft.given}
        onChange={(event) => change({ given: event.currentTarget.value })}
        error={of('given')}
      />
      <TextInput
        label="Family name"
        required
        autoComplete="off"
        value={draft.family}
        onChange={(event) => change({ family: event.currentTarget.value })}
        error={of('family')}
      />
      <TextInput
        label="Birth date"
        type="date"
        required
        autoComplete="off"
        value={draft.birthDate}
        onChange={(event) => change({ birthDate: event.currentTarget.value })}
        error={of('birthDate')}
      />
    </SimpleGrid>
  )
}

function ThingFields({ draft, change, of }: PartProps) {
  return (
    <SimpleGrid cols={{ base: 1, xs: 2 }} mt="sm">
      <TextInput
        label="Name"
        description="As people here call it, e.g. Vaccine refrigerator 2"
        required
        value={draft.name}
        onChange={(event) => change({ name: event.currentTarget.value })}
        error={of('name')}
      />
      {draft.kind === 'asset' ? (
        <>
          <TextInput
            label="Maker"
            description="If it matters"
            value={draft.maker}
            onChange={(event) => change({ maker: event.currentTarget.value })}
            error={of('maker')}
          />
          <TextInput
            label="Serial number"
            description="If it has one"
            value={draft.serial}
            onChange={(event) => change({ serial: event.currentTarget.value })}
            error={of('serial')}
          />
        </>
      ) : null}
    </SimpleGrid>
  )
}

function PlaceFields({ draft, change, of }: PartProps) {
  const mayTeams = useMay('read', 'care-team')
  const sites = useQuery({ ...careQueries.sites, enabled: useMay('read', 'site') }).data?.items ?? []
  const me = useMe().id
  // Who takes a patient in goes on seeing them: they choose among their own teams. Another team takes over from the patient's page.
  const all = useQuery({ ...queries.careTeams, enabled: mayTeams }).data?.items ?? []
  const teams = all.filter(({ members }) => members.includes(me))
  const site = sites.find(({ id }) => id === draft.site)
  return (
    <SimpleGrid cols={{ base: 1, xs: 2 }} mt="sm">
      {sites.length === 0 ? null : (
        <NativeSelect
          label="Site"
          value={draft.site}
          data={[{ value: '', label: 'None' }, ...sites.map(({ id, name }) => ({ value: id, label: name }))]}
          onChange={(event) => {
            const chosen = sites.find(({ id }) => id === event.currentTarget.value)
            change({ site: chosen?.id ?? '', ...(chosen === undefined ? {} : { timeZone: chosen.timeZone }) })
          }}
          error={of('site')}
        />
      )}
      {teams.length === 0 || draft.kind !== 'patient' ? null : (
        <NativeSelect
          label="Care team"
          description="Its members see the patient. Without one, everybody here who treats patients does."
          value={draft.team}
          data={[{ value: '', label: 'None' }, ...teams.map(({ id, name }) => ({ value: id, label: name }))]}
          onChange={(event) => change({ team: event.currentTarget.value })}
          error={of('team')}
        />
      )}
      <div>
        <TextInput
          label="Time zone"
          description="Where it is: days are counted there."
          required
          value={draft.timeZone}
          onChange={(event) => change({ timeZone: event.currentTarget.value })}
          error={of('timeZone')}
        />
        {site !== undefined && site.timeZone !== draft.timeZone ? (
          <Text c="dimmed">The site is in {site.timeZone}.</Text>
        ) : null}
      </div>
    </SimpleGrid>
  )
}

function useTakenIn() {
  const client = useQueryClient()
  const navigate = useNavigate()
  return useMutation({
    mutationFn: (body: NewSubject) => call(endpoints.newSubject, { body }),
    async onSuccess(subject) {
      client.setQueryData(queries.subject(subject.id).queryKey, subject)
      void client.invalidateQueries({ queryKey: ['subject', 'list'] })
      await navigate({ to: '/subjects/$id', params: { id: subject.id }, search: { panel: 'enrol' } })
    },
  })
}
