/** Patients and things: who and what is watched here; found by name, taken in. What is typed to find somebody stands in no URL. */
import type { SubjectKind, SubjectSummary } from '@careloop/contract'
import { Button, SegmentedControl, Text, TextInput } from '@mantine/core'
import { useDebouncedValue } from '@mantine/hooks'
import { keepPreviousData, type QueryClient, useQuery } from '@tanstack/react-query'
import { Link, useNavigate, useSearch } from '@tanstack/react-router'
import { useRef, useState } from 'react'
import { careQueries } from '../../api/care-queries.ts'
import { useMay } from '../../app/session.tsx'
import { useKeys } from '../../app/use-keys.ts'
import { type Column, LongTable } from '../../parts/long-table.tsx'
import { Page, useTitle } from '../../parts/page.tsx'
import { Empty, Failed, Loading, NotRenewed, WithRight } from '../../parts/page-state.tsx'
import rows from '../../parts/rows.module.css'
import { useWhyNot } from '../../parts/why-not.ts'
import { countText } from '../../parts/words.ts'
import { EmergencyAccess } from '../break-glass/emergency-access.tsx'
import { NewSubjectDialog, useOffersPeople } from './new-subject-dialog.tsx'
import { kindWords } from './subject-picker.tsx'

const empty = (
  <Empty title="Nobody and nothing is taken in yet">
    Take in the first person, thing or place. Then put a device on it and enrol it in a program.
  </Empty>
)

export interface SubjectsSearch {
  readonly kind?: SubjectKind
  /** `new`: the form that takes one in; `emergency`: emergency access to a patient who was not found. */
  readonly panel?: string
}

export const loadSubjects = (client: QueryClient, { kind }: SubjectsSearch): void =>
  void client.prefetchQuery(careQueries.subjects(kind))

const kinds = [
  { value: 'all', label: 'All' },
  { value: 'patient', label: 'People' },
  { value: 'asset', label: 'Things' },
  { value: 'location', label: 'Places' },
]

export function SubjectsPage() {
  useTitle('Patients and things')
  return (
    <WithRight resource="subject" what="Patients and things">
      <Subjects />
    </WithRight>
  )
}

function Subjects() {
  const { kind, panel } = useSearch({ from: '/staff/subjects' })
  const navigate = useNavigate({ from: '/subjects' })
  const [typed, setTyped] = useState('')
  const [text] = useDebouncedValue(typed.trim(), 150)
  const why = useWhyNot('create', 'subject')
  const list = useSubjects(text, kind)
  return (
    <Page
      title="Patients and things"
      beside={
        <Button
          mih={44}
          disabled={why !== null}
          title={why ?? undefined}
          onClick={() => void navigate({ search: (before) => ({ ...before, panel: 'new' }) })}
        >
          Take in
        </Button>
      }
    >
      <Filters typed={typed} onType={setTyped} said={list.said} />
      {list.isPending ? <Loading /> : null}
      {list.isError && list.items === undefined ? (
        <Failed what="The list could not be read" error={list.error!} onRetry={list.again} />
      ) : null}
      {list.isError && list.items !== undefined ? (
        <NotRenewed error={list.error!} readAt={list.readAt} onRetry={list.again} />
      ) : null}
      {list.items?.length === 0 && text === '' && kind === undefined ? empty : null}
      {list.items === undefined || list.items.length === 0 ? null : <Table items={list.items} />}
      <EmergencyAccess
        isOpen={panel === 'emergency'}
        onOpen={() => void navigate({ search: (before) => ({ ...before, panel: 'emergency' }) })}
        onClose={() => void navigate({ search: ({ panel: _panel, ...before }) => before })}
      />
      {panel === 'new' && why === null ? (
        <NewSubjectDialog
          kind={kind ?? 'patient'}
          onClose={() => void navigate({ search: ({ panel: _panel, ...before }) => before })}
        />
      ) : null}
    </Page>
  )
}

function useSubjects(text: string, kind: SubjectKind | undefined) {
  const all = useQuery({ ...careQueries.subjects(kind), enabled: text === '' })
  const found = useQuery({
    ...careQueries.found(text, kind),
    enabled: text !== '',
    placeholderData: keepPreviousData,
  })
  const asked = text === '' ? all : found
  const items: readonly SubjectSummary[] | undefined = asked.data?.items
  const more = text === '' ? all.data?.isCut === true : (found.data?.items.length ?? 0) >= 100
  const said =
    items === undefined
      ? ''
      : items.length === 0
        ? text === ''
          ? ''
          : 'Nobody and nothing found. Check the spelling, or choose all kinds.'
        : `${more ? 'First ' : ''}${countText(items.length, 'entry', 'entries')}${more ? ': type more to find the rest' : ''}`
  return {
    ...{ items, said, isPending: asked.isPending && asked.fetchStatus !== 'idle', isError: asked.isError },
    ...{ error: asked.error, readAt: asked.dataUpdatedAt, again: () => void asked.refetch() },
  }
}

interface FiltersProps {
  readonly typed: string
  readonly onType: (text: string) => void
  readonly said: string
}

function Filters({ typed, onType, said }: FiltersProps) {
  const { kind } = useSearch({ from: '/staff/subjects' })
  const navigate = useNavigate({ from: '/subjects' })
  const offersPeople = useOffersPeople()
  const field = useRef<HTMLInputElement>(null)
  useKeys({ '/': () => field.current?.focus() })
  return (
    <div className={rows.acts}>
      <TextInput
        ref={field}
        aria-label="Find by name, address or birth date"
        placeholder="Find  ( / )"
        autoComplete="off"
        value={typed}
        onChange={(event) => onType(event.currentTarget.value)}
        onKeyDown={(event) => {
          if (event.key === 'Escape') onType('')
        }}
      />
      <SegmentedControl
        aria-label="Kind"
        value={kind ?? 'all'}
        data={offersPeople ? kinds : kinds.filter(({ value }) => value !== 'patient')}
        onChange={(value) => void navigate({ search: value === 'all' ? {} : { kind: value as SubjectKind } })}
      />
      <Text c="dimmed" role="status" style={{ alignSelf: 'center' }}>
        {said}
      </Text>
    </div>
  )
}

function Table({ items }: { items: readonly SubjectSummary[] }) {
  const sites = useQuery({ ...careQueries.sites, enabled: useMay('read', 'site') }).data?.items
  const siteOf = (id: string | null) => (id === null ? '' : (sites?.find((each) => each.id === id)?.name ?? ''))
  const columns: readonly Column<SubjectSummary>[] = [
    {
      title: 'Name',
      cell: ({ id, display }) => (
        <Link to="/subjects/$id" params={{ id }} className={rows.link!}>
          {display}
        </Link>
      ),
    },
    { title: 'Kind', cell: ({ kind }) => kindWords[kind] },
    { title: 'Born', cell: ({ birthDate }) => <span className="nowrap">{birthDate ?? ''}</span> },
    { title: 'Site', cell: ({ site }) => siteOf(site) },
    { title: 'Time zone', cell: ({ timeZone }) => timeZone },
  ]
  return <LongTable columns={columns} rows={items} keyOf={({ id }) => id} minWidth={560} />
}
