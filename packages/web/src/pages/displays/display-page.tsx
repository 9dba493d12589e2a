/** A screen on a wall: its board, large; nothing to click, nobody signed in. Opened once by a link with its token behind `#`. */
import { Text } from '@mantine/core'
import { useQuery, useQueryClient } from '@tanstack/react-query'
import { useEffect, useState } from 'react'
import { ApiError, call } from '../../api/client.ts'
import { endpoints } from '../../api/endpoints.ts'
import { useNow } from '../../app/clock.ts'
import { Page, useTitle } from '../../parts/page.tsx'
import { Failed, Loading, NotRenewed } from '../../parts/page-state.tsx'
import boardClasses from '../board/board.module.css'
import { UnitCard } from '../board/card.tsx'
import { Counts } from '../board/counts.tsx'
import { worstFirst } from '../board/status.ts'
import { Door } from '../door.tsx'
import { followDisplay, type ScreenState } from './follow-display.ts'

/** Taken out of the address at once: whoever looks over a shoulder later finds nothing. One promise, however often React asks. */
function takeToken(): Promise<void> | null {
  const token = location.hash.slice(1)
  if (token === '') return null
  history.replaceState(history.state, '', '/display')
  return call(endpoints.openDisplay, { body: { token } })
}

export function DisplayPage() {
  useTitle('Wall screen')
  const [opening] = useState(takeToken)
  const [opened, setOpened] = useState<'waiting' | 'open' | Error>(opening === null ? 'open' : 'waiting')
  useEffect(() => {
    opening?.then(
      () => setOpened('open'),
      (error: Error) => setOpened(error),
    )
  }, [opening])
  if (opened === 'waiting') return <Loading />
  if (opened === 'open') return <Screen />
  return (
    <Door title="Wall screen">
      <Text role="alert">{opened instanceof ApiError ? opened.message : 'The page itself failed. Load it again.'}</Text>
    </Door>
  )
}

const isRefused = (error: Error | null): boolean => error instanceof ApiError && [401, 403].includes(error.status)

function Screen() {
  const client = useQueryClient()
  const [state, setState] = useState<ScreenState>('connecting')
  const own = useQuery({
    queryKey: ['display', 'own'],
    queryFn: ({ signal }) => call(endpoints.ownDisplay, { signal }),
    staleTime: Number.POSITIVE_INFINITY,
  })
  const isOver = state === 'over' || isRefused(own.error)
  const board = useQuery({
    queryKey: ['display', 'board'],
    queryFn: ({ signal }) => call(endpoints.displayBoard, { signal }),
    // Temperatures are no facts: as the board of people, read again every 5 s.
    refetchInterval: 5_000,
    enabled: own.data !== undefined && !isOver,
  })
  const isKnown = own.data !== undefined
  useEffect(() => {
    if (!isKnown) return
    const ending = new AbortController()
    const onChange = () => void client.invalidateQueries({ queryKey: ['display', 'board'] }, { cancelRefetch: false })
    void followDisplay(onChange, setState, ending.signal)
    return () => ending.abort()
  }, [client, isKnown])
  if (isOver || isRefused(board.error)) return <Over />
  const error = own.error ?? board.error
  if (board.data === undefined && error !== null)
    return (
      <Failed
        what="The board could not be read"
        still="The refrigerators' own displays and alarms go on."
        error={error}
        onRetry={() => void (isKnown ? board : own).refetch()}
      />
    )
  if (own.data === undefined || board.data === undefined) return <Loading rows={3} height={220} />
  return (
    <main data-wall className={boardClasses.board}>
      <Page title="Cold chain" beside={<Counts units={board.data.units} />}>
        {board.isRefetchError ? (
          <NotRenewed error={board.error} readAt={board.dataUpdatedAt} onRetry={() => void board.refetch()} />
        ) : null}
        {board.data.units.length === 0 ? <Text>No unit is watched yet.</Text> : <Units units={board.data.units} />}
        <Text c="dimmed" mt="md" role="status">
          {own.data.name} · {own.data.organisation} · {state === 'live' ? 'live' : 'not live'}
        </Text>
      </Page>
    </main>
  )
}

function Units({ units }: { units: Parameters<typeof worstFirst>[0] }) {
  const now = useNow()
  return (
    <ul className={boardClasses.cards}>
      {worstFirst(units, now).map((unit) => (
        <UnitCard key={unit.subject.id} unit={unit} isLinked={false} />
      ))}
    </ul>
  )
}

/** Nothing of the board stays on the glass. */
function Over() {
  const client = useQueryClient()
  useEffect(() => client.removeQueries({ queryKey: ['display', 'board'] }), [client])
  return (
    <Door title="This screen shows nothing">
      <Text>It was ended, its time is over, or its link was not opened here. Ask for a new link for it.</Text>
    </Door>
  )
}
