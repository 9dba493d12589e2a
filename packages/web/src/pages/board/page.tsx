/** The cold-chain board: is anything out of range, since when, what to do. Read from across the room in wall mode. */
import type { Board as BoardBody, BoardUnit } from '@careloop/contract'
import { Button, Drawer, NativeSelect, Text } from '@mantine/core'
import { type QueryClient, useQuery } from '@tanstack/react-query'
import { Link, useNavigate, useSearch } from '@tanstack/react-router'
import { careQueries } from '../../api/care-queries.ts'
import { useNow } from '../../app/clock.ts'
import { useMay } from '../../app/session.tsx'
import { useKeys } from '../../app/use-keys.ts'
import { Page, useTitle } from '../../parts/page.tsx'
import { Empty, Failed, Loading, NotRenewed, WithRight } from '../../parts/page-state.tsx'
import rows from '../../parts/rows.module.css'
import { Pane } from '../worklist/pane.tsx'
import classes from './board.module.css'
import { Card } from './card.tsx'
import { Counts } from './counts.tsx'
import { worstFirst } from './status.ts'

const empty = (
  <Empty title="No unit is watched yet">
    Refrigerators and freezers stand here as soon as they are taken in under Patients and things, wear a probe, and are
    enrolled in a program such as Vaccine refrigerator.
  </Empty>
)

export interface BoardSearch {
  readonly site?: string
  /** The task that is explained. */
  readonly task?: string
  readonly wall?: boolean
}

export const loadBoard = (client: QueryClient): void => void client.prefetchQuery(careQueries.board)

export function BoardPage() {
  useTitle('Board')
  return (
    <WithRight resource="board" what="Board">
      <Board />
    </WithRight>
  )
}

function Board() {
  const { wall = false, task } = useSearch({ from: '/staff/board' })
  const navigate = useNavigate({ from: '/board' })
  const board = useQuery(careQueries.board)
  const close = () => void navigate({ search: ({ task: _task, ...before }) => before })
  const leaveWall = () => void navigate({ search: ({ wall: _wall, ...before }) => before })
  useKeys({ Escape: wall && task === undefined ? leaveWall : undefined })
  return (
    <div data-wall={wall || undefined} className={classes.board}>
      <Page title="Cold chain" beside={<Beside board={board.data} wall={wall} onLeave={leaveWall} />}>
        {board.isPending ? <Loading rows={3} height={220} /> : null}
        {board.isError && board.data === undefined ? (
          <Failed
            what="The board could not be read"
            still="The refrigerators' own displays and alarms go on."
            error={board.error}
            onRetry={() => void board.refetch()}
          />
        ) : null}
        {board.isRefetchError ? (
          <NotRenewed error={board.error} readAt={board.dataUpdatedAt} onRetry={() => void board.refetch()} />
        ) : null}
        {board.data?.units.length === 0 ? empty : null}
        {board.data === undefined ? null : <Cards units={board.data.units} />}
      </Page>
      <Drawer
        opened={task !== undefined}
        onClose={close}
        position="right"
        size="lg"
        title="Why, and what to do"
        closeButtonProps={{ 'aria-label': 'Back to the board', size: 'lg' }}
      >
        {task === undefined ? null : (
          <div className={classes.pane}>
            <Pane
              key={task}
              task={task}
              row={undefined}
              onClose={close}
              going={{
                onward: close,
                back: (task) => void navigate({ search: (before) => ({ ...before, task }) }),
              }}
            />
          </div>
        )}
      </Drawer>
    </div>
  )
}

interface BesideProps {
  readonly board: BoardBody | undefined
  readonly wall: boolean
  readonly onLeave: () => void
}

function Beside({ board, wall, onLeave }: BesideProps) {
  const { site = '' } = useSearch({ from: '/staff/board' })
  const navigate = useNavigate({ from: '/board' })
  const maySeeScreens = useMay('read', 'display')
  const sites = [...new Set(board?.units.flatMap((unit) => (unit.site === null ? [] : [unit.site])))].sort()
  return (
    <div className={classes.beside}>
      {board === undefined ? null : <Counts units={unitsAt(board.units, site)} />}
      {sites.length < 2 ? null : (
        <NativeSelect
          aria-label="Site"
          value={site}
          data={[{ value: '', label: 'All sites' }, ...sites]}
          onChange={(event) => {
            const chosen = event.currentTarget.value
            void navigate({
              search: ({ site: _site, ...before }) => (chosen === '' ? before : { ...before, site: chosen }),
            })
          }}
        />
      )}
      {maySeeScreens && !wall ? (
        <Link to="/board/screens" className={rows.link!}>
          Wall screens
        </Link>
      ) : null}
      <Button
        variant="default"
        mih={44}
        onClick={() => (wall ? onLeave() : void navigate({ search: (before) => ({ ...before, wall: true }) }))}
      >
        {wall ? 'Leave wall mode' : 'Wall mode'}
      </Button>
    </div>
  )
}

const unitsAt = (units: readonly BoardUnit[], site: string): readonly BoardUnit[] =>
  site === '' ? units : units.filter((unit) => unit.site === site)

/** Order by the page's own clock too: what fell silent since it was read moves up. */
function Cards({ units }: { units: readonly BoardUnit[] }) {
  const { site = '' } = useSearch({ from: '/staff/board' })
  const now = useNow()
  const shown = worstFirst(unitsAt(units, site), now)
  if (units.length > 0 && shown.length === 0) return <Text>No unit at this site.</Text>
  return (
    <ul className={classes.cards}>
      {shown.map((unit) => (
        <Card key={unit.subject.id} unit={unit} />
      ))}
    </ul>
  )
}
