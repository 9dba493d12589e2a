/** One task at a glance: how urgent, who, what with its number, how old, how long is left, who has it. */
import type { WorklistRow } from '@careloop/contract'
import { Link } from '@tanstack/react-router'
import { Age } from '../../parts/age.tsx'
import { PriorityMark } from '../../parts/priority-mark.tsx'
import { TimeLeft } from '../../parts/time-left.tsx'
import { countText } from '../../parts/words.ts'
import classes from './worklist.module.css'

/** The columns' names, for the eye: each cell says what it is to a screen reader. */
export function RowHeads() {
  return (
    <div className={`${classes.row} ${classes.heads}`} aria-hidden="true">
      <span />
      <span className={classes.subject}>Who</span>
      <span className={classes.what}>What</span>
      <span className={classes.age}>Measured</span>
      <span className={classes.left}>Time left</span>
      <span className={classes.owner}>Owner</span>
    </div>
  )
}

export function Row({ row, isChosen, me }: { row: WorklistRow; isChosen: boolean; me: string }) {
  return (
    <li className={classes.item}>
      <Link
        to="/worklist"
        search={{ task: row.task }}
        className={classes.row}
        aria-current={isChosen ? 'true' : undefined}
        data-priority={row.nature === 'technical' ? 'technical' : row.priority}
        data-task={row.task}
      >
        <PriorityMark priority={row.priority} nature={row.nature} />
        <span className={classes.subject}>{row.subject.name}</span>
        <span className={classes.what}>
          <span>{row.sentence}</span> <Remarks row={row} />
        </span>
        <span className={classes.age}>
          <Age at={row.value.measuredAt} />
        </span>
        <span className={classes.left}>
          <TimeLeft from={row.raisedAt} due={row.dueAt} />
        </span>
        <span className={classes.owner}>
          <Owner row={row} me={me} />
        </span>
      </Link>
    </li>
  )
}

/** What changes how a row is read: it is in range again, or it was found late. */
function Remarks({ row }: { row: WorklistRow }) {
  const remarks = [
    row.wrongSubject ? 'Readings were of somebody else' : '',
    row.condition === 'cleared' ? 'No longer active' : '',
    row.recurrences ? `Came back ${countText(row.recurrences, 'time')}` : '',
    row.claimedBy !== undefined && row.handling === 'new' ? 'Look again' : '',
    row.historic ? 'Found late' : '',
  ].filter((remark) => remark !== '')
  return remarks.map((remark) => (
    <span key={remark} className={classes.remark}>
      {remark}
    </span>
  ))
}

function Owner({ row, me }: { row: WorklistRow; me: string }) {
  const nameOf = ({ id, name }: { id: string; name: string }) => (id === me ? 'You' : name)
  if (row.claimedBy !== undefined)
    return (
      <>
        <strong>{nameOf(row.claimedBy)}</strong>{' '}
        <span className={classes.soft}>{row.claimedBy.id === me ? 'have it' : 'has it'}</span>
      </>
    )
  return (
    <>
      {nameOf(row.owner)} <span className={classes.soft}>not claimed</span>
    </>
  )
}
