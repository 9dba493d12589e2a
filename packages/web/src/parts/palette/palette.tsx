/** Ctrl K: any page, subject, task or act by its name. */
import { Kbd, Modal, TextInput } from '@mantine/core'
import { useDebouncedValue } from '@mantine/hooks'
import { useQuery } from '@tanstack/react-query'
import { useNavigate } from '@tanstack/react-router'
import { type KeyboardEvent, useEffect, useRef, useState } from 'react'
import { call } from '../../api/client.ts'
import { endpoints } from '../../api/endpoints.ts'
import { queries } from '../../api/queries.ts'
import { usePlaces } from '../../app/places.ts'
import { useMay } from '../../app/session.tsx'
import { type Entry, findEntries } from './find-entries.ts'
import classes from './palette.module.css'
import { useActsOfPage } from './palette-acts.ts'

/** Also while typing: with Ctrl it is nobody's letter. */
export function Palette() {
  const [opened, setOpened] = useState(false)
  useEffect(() => {
    const press = (event: globalThis.KeyboardEvent) => {
      if (!(event.ctrlKey || event.metaKey) || event.altKey || event.key.toLowerCase() !== 'k') return
      event.preventDefault()
      setOpened((before) => !before && document.querySelector('[role="dialog"][aria-modal="true"]') === null)
    }
    document.addEventListener('keydown', press)
    return () => document.removeEventListener('keydown', press)
  }, [])
  return (
    <Modal
      opened={opened}
      onClose={() => setOpened(false)}
      title="Find"
      yOffset="10dvh"
      size="lg"
      transitionProps={{ duration: 0 }}
      closeButtonProps={{ 'aria-label': 'Close the palette' }}
    >
      {opened ? <Finder onDone={() => setOpened(false)} /> : null}
    </Modal>
  )
}

function Finder({ onDone }: { onDone: () => void }) {
  const [typed, setTyped] = useState('')
  const [at, setAt] = useState(0)
  const { entries, isSearching } = useEntries(typed)
  const chosen = Math.min(at, entries.length - 1)
  const run = (entry: Entry | undefined) => {
    if (entry === undefined || entry.isOff) return
    onDone()
    // After the dialog has given the focus back: an act may open a dialog of its own.
    requestAnimationFrame(() => requestAnimationFrame(entry.run))
  }
  const press = (event: KeyboardEvent) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key]
    if (step !== undefined) setAt((chosen + step + entries.length) % Math.max(1, entries.length))
    else if (event.key === 'Enter') run(entries[chosen])
    else return
    event.preventDefault()
  }
  return (
    <>
      <TextInput
        data-autofocus
        size="md"
        aria-label="Page, subject, task or act"
        placeholder="Page, subject, task or act"
        role="combobox"
        aria-expanded={entries.length > 0}
        aria-controls="palette-list"
        aria-autocomplete="list"
        aria-activedescendant={entries.length === 0 ? undefined : `palette-${chosen}`}
        value={typed}
        onChange={(event) => {
          setTyped(event.currentTarget.value)
          setAt(0)
        }}
        onKeyDown={press}
      />
      <div className={classes.said} role="status">
        {entries.length === 0 ? (isSearching ? 'Searching' : 'Nothing of that name that you may see') : ''}
      </div>
      <Options entries={entries} chosen={chosen} onRun={run} />
    </>
  )
}

function Options({
  entries,
  chosen,
  onRun,
}: {
  entries: readonly Entry[]
  chosen: number
  onRun: (entry: Entry) => void
}) {
  const list = useRef<HTMLDivElement>(null)
  useEffect(() => {
    list.current?.querySelector(`#palette-${chosen}`)?.scrollIntoView({ block: 'nearest' })
  }, [chosen])
  const groups = [...Map.groupBy(entries, ({ group }) => group)]
  return (
    <div ref={list} id="palette-list" role="listbox" aria-label="Found" className={classes.list}>
      {groups.map(([group, own]) => (
        // biome-ignore lint/a11y/useSemanticElements: options of a listbox are grouped so
        <div key={group} role="group" aria-label={group}>
          <div className={classes.group} aria-hidden="true">
            {group}
          </div>
          {own.map((entry) => {
            const index = entries.indexOf(entry)
            return (
              // biome-ignore lint/a11y/useKeyWithClickEvents: the field above has the focus and the keys
              <div
                key={entry.id}
                id={`palette-${index}`}
                role="option"
                tabIndex={-1}
                aria-selected={index === chosen}
                aria-disabled={entry.isOff}
                className={classes.option}
                onClick={() => onRun(entry)}
              >
                <span className={classes.label}>{entry.label}</span>
                {entry.key === undefined ? null : <Kbd size="xs">{entry.key}</Kbd>}
                {entry.more === undefined ? null : <span className={classes.more}>{entry.more}</span>}
              </div>
            )
          })}
        </div>
      ))}
    </div>
  )
}

function useEntries(typed: string): { entries: Entry[]; isSearching: boolean } {
  const subjects = useSubjects(typed)
  const all = [...useActEntries(), ...usePageEntries(), ...useTaskEntries(), ...subjects.entries]
  return { entries: findEntries(all, typed), isSearching: subjects.isSearching }
}

const useActEntries = (): Entry[] =>
  useActsOfPage().map(({ id, label, key, why, run }) => ({
    ...{ id: `act-${id}`, group: 'Acts', label, key, run },
    ...(why === null ? {} : { more: why, isOff: true }),
  }))

function usePageEntries(): Entry[] {
  const navigate = useNavigate()
  return usePlaces().map(({ to, label, key }) => ({
    ...{ id: `page-${to}`, group: 'Pages', label, key: `g ${key}` },
    run: () => void navigate({ to }),
  }))
}

function useTaskEntries(): Entry[] {
  const navigate = useNavigate()
  const mayRead = useMay('read', 'task')
  const rows = useQuery({ ...queries.worklist, enabled: mayRead }).data?.rows ?? []
  return rows.map(({ task, subject, sentence }) => ({
    ...{ id: `task-${task}`, group: 'Tasks', label: subject.name, more: sentence },
    run: () => void navigate({ to: '/worklist', search: { task } }),
  }))
}

/** From two letters on; the names travel in the body of a request and stand in no address. */
function useSubjects(typed: string): { entries: Entry[]; isSearching: boolean } {
  const navigate = useNavigate()
  const mayRead = useMay('read', 'subject')
  const [text] = useDebouncedValue(typed.trim(), 150)
  const isAsked = mayRead && text.length >= 2
  const found = useQuery({
    queryKey: ['subject', 'palette', text],
    queryFn: ({ signal }) => call(endpoints.findSubjects, { body: { text, limit: 8 }, signal }),
    enabled: isAsked,
    gcTime: 0,
  })
  const entries = (isAsked ? (found.data?.items ?? []) : []).map(
    ({ id, display, kind, birthDate }): Entry => ({
      ...{ id: `subject-${id}`, group: 'Subjects', label: display },
      more: birthDate === undefined ? kind : `${kind}, born ${birthDate}`,
      run: () => void navigate({ to: '/subjects/$id', params: { id } }),
    }),
  )
  return { entries, isSearching: isAsked && found.isFetching }
}
