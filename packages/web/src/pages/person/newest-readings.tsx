/** The newest value of each signal, large, with its unit and its age; an old one says that it is old. */
import { useQuery } from '@tanstack/react-query'
import type { ReactNode } from 'react'
import { ApiError } from '../../api/client.ts'
import { queries } from '../../api/queries.ts'
import { ageSince, useNow } from '../../app/clock.ts'
import { Failed, Loading } from '../../parts/page-state.tsx'
import rows from '../../parts/rows.module.css'
import { spanText } from '../../parts/words.ts'
import { type ShownSignal, shownSignals, stateAfter } from '../subject/shown-signals.ts'
import classes from './person.module.css'

/** These pages follow no live stream: they ask again. */
const askAgainMs = 60_000

interface NewestReadingsProps {
  readonly subject: string
  /** Names the list to a screen reader. */
  readonly label: string
  /** What stands there when nothing was measured, or nothing of it is shared. */
  readonly none: ReactNode
  /** What stands there when it is not, or no longer, theirs to see. */
  readonly gone?: ReactNode
}

export function NewestReadings({ subject, label, none, gone }: NewestReadingsProps) {
  const latest = useQuery({ ...queries.latest(subject), refetchInterval: askAgainMs })
  useNow()
  if (latest.isPending) return <Loading rows={3} />
  // What was seen before must not stay on the screen once the server says that it is not to be seen.
  if (gone !== undefined && latest.error instanceof ApiError && latest.error.status === 404) return gone
  if (latest.data === undefined)
    return <Failed what="The readings could not be read" error={latest.error!} onRetry={() => void latest.refetch()} />
  const shown = shownSignals(latest.data.signals).filter(({ kind }) => kind !== 'device')
  if (shown.length === 0) return none
  const passed = ageSince(latest.data.askedAt)
  return (
    <ul className={rows.rows} aria-label={label}>
      {shown.map((each) => (
        <Reading key={each.series} shown={each} passed={passed} />
      ))}
    </ul>
  )
}

function Reading({ shown, passed }: { shown: ShownSignal; passed: number }) {
  const { label, text, unit, ageMs, isTimeKnown } = shown
  const isOld = stateAfter(shown, passed) !== 'fresh'
  return (
    <li className={`${rows.row} ${classes.reading}`} data-old={isOld || undefined}>
      <div className={rows.what}>
        {label}
        <div className={rows.soft}>
          {isTimeKnown ? `${spanText(ageMs + passed)} ago` : 'time not known'}
          {isOld ? ' · may be different now' : ''}
        </div>
      </div>
      <strong className={classes.value}>
        {text} <small>{unit}</small>
      </strong>
    </li>
  )
}
