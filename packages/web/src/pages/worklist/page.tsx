/** The worklist: what needs me, and how long have I got. */
import type { Worklist } from '@careloop/contract'
import { Button, TextInput, Title } from '@mantine/core'
import { type QueryClient, useQuery } from '@tanstack/react-query'
import { useNavigate, useSearch } from '@tanstack/react-router'
import { useEffect, useRef, useState } from 'react'
import { queries } from '../../api/queries.ts'
import { useMe } from '../../app/session.tsx'
import { useKeys } from '../../app/use-keys.ts'
import { Empty, Failed, Loading, NotRenewed, WithRight } from '../../parts/page-state.tsx'
import { countText } from '../../parts/words.ts'
import { RowHeads } from './card.tsx'
import { CardList, type ListHandle } from './list.tsx'
import { neighbourOf, stepFrom } from './order.ts'
import { Pane } from './pane.tsx'
import { focusRow, useSteadyRow } from './steady.ts'
import type { Going } from './use-acts.ts'
import { type Cards, useCards } from './use-cards.ts'
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
  const list = useQuery(queries.worklist)
  const [typed, setTyped] = useState('')
  const cards = useCards(list.data, typed, chosen)
  const scroller = useRef<HTMLDivElement>(null)
  const handle = useRef<ListHandle>(null)
  const { choose, going } = useChoosing(cards, chosen, scroller, handle)
  useSteadyRow(
    scroller,
    cards.rows.map(({ task }) => task),
    chosen,
  )
  useCountInTitle(list.data?.total)
  const isReady = list.data !== undefined && list.data.total > 0
  const row = cards.rows.find(({ task }) => task === chosen)
  return (
    <div className={classes.page} data-open={chosen !== undefined || undefined}>
      <div className={classes.side}>
        <Top typed={typed} onType={setTyped} list={list.data} />
        <News cards={cards} onLook={() => scroller.current?.scrollTo({ top: 0 })} />
        <div
          ref={scroller}
          className={classes.list}
          onScroll={(event) => event.currentTarget.scrollTop < 8 && cards.newAbove.length > 0 && cards.markSeen()}
        >
          {list.isPending ? <Loading /> : null}
          {list.isError && list.data === undefined ? (
            <Failed what="The worklist could not be read" error={list.error} onRetry={() => void list.refetch()} />
          ) : null}
          {list.isRefetchError ? (
            <NotRenewed error={list.error} readAt={list.dataUpdatedAt} onRetry={() => void list.refetch()} />
          ) : null}
          {list.data?.total === 0 ? empty : null}
          {isReady && cards.rows.length > 0 ? <RowHeads /> : null}
          <List {...{ cards, chosen, scroller, handle }} />
          <Left shown={cards.rows.length} list={list.data} typed={typed} />
          {/* Room below, so that the row that is worked on can stay in its place when the list is short. */}
          {chosen === undefined ? null : <div className={classes.room} />}
        </div>
      </div>
      {chosen === undefined ? null : (
        <aside className={classes.pane} aria-label="Why this task exists">
          <Pane key={chosen} task={chosen} row={row} onClose={() => choose(undefined)} going={going} />
        </aside>
      )}
    </div>
  )
}

function List({
  cards,
  ...rest
}: { cards: Cards; chosen: string | undefined } & Pick<Parameters<typeof CardList>[0], 'scroller' | 'handle'>) {
  const me = useMe().id
  return <CardList groups={cards.groups} me={me} {...rest} />
}

/** Moving through the rows by key, and on to the next after acting. */
function useChoosing(
  cards: Cards,
  chosen: string | undefined,
  scroller: React.RefObject<HTMLDivElement | null>,
  handle: React.RefObject<ListHandle | null>,
) {
  const navigate = useNavigate()
  const ids = cards.rows.map(({ task }) => task)
  const latest = useRef(ids)
  latest.current = ids
  // Keys come faster than pages are drawn: each step goes on from the last.
  const aim = useRef(chosen)
  useEffect(() => {
    aim.current = chosen
  }, [chosen])
  const choose = (task: string | undefined) => {
    aim.current = task
    // The list stays where it is scrolled to: only what explains changes.
    void navigate({ to: '/worklist', search: task === undefined ? {} : { task }, resetScroll: false })
  }
  const goTo = (task: string | undefined) => {
    choose(task)
    if (task === undefined || focusRow(scroller.current, task)) return
    const card = cards.rows.find((row) => row.task === task)?.subject.id
    if (card !== undefined) handle.current?.bring(card)
    requestAnimationFrame(() => focusRow(scroller.current, task))
  }
  const step = (by: 1 | -1) => {
    // Inside what explains, arrows scroll it.
    if (document.activeElement?.closest('aside') != null) return false
    return goTo(stepFrom(ids, aim.current, by))
  }
  useBackOnRow(chosen)
  useKeys({
    j: () => goTo(stepFrom(ids, aim.current, 1)),
    k: () => goTo(stepFrom(ids, aim.current, -1)),
    ArrowDown: () => step(1),
    ArrowUp: () => step(-1),
    Escape: chosen === undefined ? undefined : () => choose(undefined),
  })
  const going: Going = {
    onward: (task) => {
      const next = neighbourOf(latest.current, task)
      goTo(next === task ? undefined : next)
    },
    back: goTo,
  }
  return { choose, going }
}

function Top({ typed, onType, list }: { typed: string; onType: (typed: string) => void; list: Worklist | undefined }) {
  const filter = useRef<HTMLInputElement>(null)
  useKeys({ '/': () => filter.current?.focus() })
  return (
    <div className={classes.top}>
      <Title order={1} tabIndex={-1}>
        Worklist
      </Title>
      <span className={classes.soft} role="status">
        {list === undefined ? '' : countText(list.total, 'open task')}
      </span>
      <TextInput
        ref={filter}
        size="sm"
        className={classes.filter!}
        aria-label="Filter by name, words or owner"
        placeholder="Filter  ( / )"
        value={typed}
        onChange={(event) => onType(event.currentTarget.value)}
        onKeyDown={(event) => {
          if (event.key !== 'Escape') return
          onType('')
          event.currentTarget.blur()
        }}
      />
    </div>
  )
}

/** Said, not only shown: who works further down does not see what came above. */
function News({ cards, onLook }: { cards: Cards; onLook: () => void }) {
  const count = cards.newAbove.length
  return (
    <div role="status" className={classes.news}>
      {count === 0 ? null : (
        <Button
          variant="default"
          size="xs"
          onClick={() => {
            onLook()
            cards.markSeen()
          }}
        >
          ↑ {count} new above
        </Button>
      )}
    </div>
  )
}

/** What is not shown is counted: a filter or the bound of one answer never hides tasks in silence. */
function Left({ shown, list, typed }: { shown: number; list: Worklist | undefined; typed: string }) {
  if (list === undefined || shown === list.total) return null
  const unread = list.total - list.rows.length
  const filtered = list.rows.length - shown
  return (
    <p className={classes.said}>
      {shown.toLocaleString('en-GB')} of {list.total.toLocaleString('en-GB')} tasks are shown.
      {filtered > 0 && typed !== '' ? ` ${countText(filtered, 'does', 'do')} not match the filter.` : ''}
      {unread > 0 ? ` The ${unread} least urgent are not listed: they move up as others are completed.` : ''}
    </p>
  )
}

/** Closing the explanation leads back to the row that it explained. */
function useBackOnRow(chosen: string | undefined) {
  const before = useRef(chosen)
  useEffect(() => {
    if (chosen === undefined && before.current !== undefined)
      document.querySelector<HTMLElement>(`[data-task="${CSS.escape(before.current)}"]`)?.focus()
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
