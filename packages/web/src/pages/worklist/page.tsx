/** The worklist: what needs me, and how long have I got. */
import type { WorklistRow } from '@careloop/contract'
import { TextInput, Title } from '@mantine/core'
import { type QueryClient, useQuery } from '@tanstack/react-query'
import { useNavigate, useSearch } from '@tanstack/react-router'
import { useEffect, useMemo, useRef, useState } from 'react'
import { queries } from '../../api/queries.ts'
import { useNow } from '../../app/clock.ts'
import { useMay, useMe } from '../../app/session.tsx'
import { useKeys } from '../../app/use-keys.ts'
import { Empty, Failed, Loading, NotRenewed, WithRight } from '../../parts/page-state.tsx'
import { countText } from '../../parts/words.ts'
import { type Group, type GroupName, groupRows, matches, neighbourOf } from './order.ts'
import { Pane } from './pane.tsx'
import { Row, RowHeads } from './row.tsx'
import classes from './worklist.module.css'

const empty = (
  <Empty title="Nothing needs you now">
    Tasks appear here by themselves when a rule of a program raises an alert. For that, a subject wears a device and is
    enrolled in a program with an owner.
  </Empty>
)

export const loadWorklist = (client: QueryClient): void => void client.prefetchQuery(queries.worklist)

export interface WorklistSearch {
  /** The task that is explained. */
  readonly task?: string
}

export function WorklistPage() {
  return (
    <WithRight resource="task" what="Worklist">
      <WorklistOfMine />
    </WithRight>
  )
}

function WorklistOfMine() {
  const { task: chosen } = useSearch({ from: '/staff/worklist' })
  const navigate = useNavigate()
  const list = useQuery(queries.worklist)
  const [typed, setTyped] = useState('')
  const [said, setSaid] = useState('')
  const filter = useRef<HTMLInputElement>(null)
  const groups = useGroups(list.data?.rows, typed)
  const ids = groups.flatMap(({ rows }) => rows.map((row) => row.task))
  const choose = (task: string | undefined) => {
    void navigate({ to: '/worklist', search: task === undefined ? {} : { task } })
    if (task !== undefined) document.querySelector(`[data-task="${task}"]`)?.scrollIntoView({ block: 'nearest' })
  }
  useCountInTitle(list.data?.total)
  useBackOnRow(chosen)
  useKeys({
    j: () => choose(stepFrom(ids, chosen, 1)),
    k: () => choose(stepFrom(ids, chosen, -1)),
    '/': () => filter.current?.focus(),
    Escape: chosen === undefined ? undefined : () => choose(undefined),
  })
  const onCompleted = (task: string, words: string) => {
    setSaid(words)
    const next = neighbourOf(ids, task)
    choose(next === task ? undefined : next)
  }
  return (
    <div className={classes.page} data-open={chosen !== undefined || undefined}>
      <div className={classes.list}>
        <div className={classes.top}>
          <Title order={1} tabIndex={-1}>
            Worklist
          </Title>
          <TextInput
            ref={filter}
            size="sm"
            aria-label="Filter by name, words or owner"
            placeholder="Filter  ( / )"
            value={typed}
            onChange={(event) => setTyped(event.currentTarget.value)}
            onKeyDown={(event) => {
              if (event.key !== 'Escape') return
              setTyped('')
              event.currentTarget.blur()
            }}
          />
        </div>
        <div className={classes.said} role="status">
          {said || (list.data && countText(list.data.total, 'open task'))}
        </div>
        {list.isPending ? <Loading /> : null}
        {list.isError && list.data === undefined ? (
          <Failed what="The worklist could not be read" error={list.error} onRetry={() => void list.refetch()} />
        ) : null}
        {list.isRefetchError ? (
          <NotRenewed error={list.error} readAt={list.dataUpdatedAt} onRetry={() => void list.refetch()} />
        ) : null}
        {list.data?.total === 0 ? empty : null}
        <Groups groups={groups} chosen={chosen} />
        <Left groups={groups} total={list.data?.total ?? 0} typed={typed} />
      </div>
      {chosen === undefined ? null : (
        <aside className={classes.pane} aria-label="Why this task exists">
          <Pane key={chosen} task={chosen} onClose={() => choose(undefined)} onCompleted={onCompleted} />
        </aside>
      )}
    </div>
  )
}

function useGroups(rows: readonly WorklistRow[] | undefined, typed: string): Group[] {
  const me = useMe()
  const maySeeTeams = useMay('read', 'care-team')
  const teams = useQuery({ ...queries.careTeams, enabled: maySeeTeams }).data?.items
  // Overdue is a matter of time: the groups are looked at anew each second, and change only when they must.
  const now = useNow()
  const mates = useMemo(
    () => new Set(teams?.filter((team) => team.members.includes(me.id)).flatMap((team) => team.members) ?? []),
    [teams, me.id],
  )
  const shown = useMemo(
    () => (rows ?? []).filter((row) => typed.trim() === '' || matches(row, typed.trim())),
    [rows, typed],
  )
  return groupRows(shown, me.id, mates, now)
}

const groupWords: Readonly<Record<GroupName, string>> = {
  overdue: 'Overdue',
  mine: 'Mine',
  team: 'My team',
  others: 'Others',
}

function Groups({ groups, chosen }: { groups: readonly Group[]; chosen: string | undefined }) {
  const me = useMe().id
  if (groups.length === 0) return null
  return (
    <>
      <RowHeads />
      {groups.map(({ name, rows }) => (
        <section key={name} aria-labelledby={`group-${name}`}>
          <h2 id={`group-${name}`} className={classes.group} data-overdue={name === 'overdue' || undefined}>
            {groupWords[name]} · {rows.length}
          </h2>
          <ul className={classes.items}>
            {rows.map((row) => (
              <Row key={row.task} row={row} isChosen={row.task === chosen} me={me} />
            ))}
          </ul>
        </section>
      ))}
    </>
  )
}

/** What is not shown is counted: a filter or the bound of one answer never hides tasks in silence. */
function Left({ groups, total, typed }: { groups: readonly Group[]; total: number; typed: string }) {
  const shown = groups.reduce((sum, group) => sum + group.rows.length, 0)
  if (shown === total) return null
  return (
    <p className={classes.said}>
      {countText(total - shown, 'task is', 'tasks are')} not shown
      {typed === '' ? ': the list ends at 500.' : ' by the filter.'}
    </p>
  )
}

/** Closing the explanation leads back to the row that it explained. */
function useBackOnRow(chosen: string | undefined) {
  const before = useRef(chosen)
  useEffect(() => {
    if (chosen === undefined && before.current !== undefined)
      document.querySelector<HTMLElement>(`[data-task="${before.current}"]`)?.focus()
    before.current = chosen
  }, [chosen])
}

function useCountInTitle(total: number | undefined) {
  useEffect(() => {
    document.title = total ? `(${total}) Worklist · Careloop` : 'Worklist · Careloop'
    return () => {
      document.title = 'Careloop'
    }
  }, [total])
}

function stepFrom(ids: readonly string[], chosen: string | undefined, step: 1 | -1): string | undefined {
  const at = chosen === undefined ? -1 : ids.indexOf(chosen)
  if (at < 0) return step === 1 ? ids[0] : ids.at(-1)
  return ids[at + step] ?? chosen
}
