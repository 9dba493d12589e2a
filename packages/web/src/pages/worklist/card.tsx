/** One subject at a glance: its most urgent task whole, the others beneath it, compact. */
import type { WorklistRow } from '@careloop/contract'
import { Link } from '@tanstack/react-router'
import { memo } from 'react'
import { serverNow, useNow } from '../../app/clock.ts'
import { Age } from '../../parts/age.tsx'
import { PriorityMark } from '../../parts/priority-mark.tsx'
import { TimeLeft } from '../../parts/time-left.tsx'
import { countText, momentText } from '../../parts/words.ts'
import { type Card as CardOf, isSnoozed } from './order.ts'
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

interface CardProps {
  readonly card: CardOf
  /** Of its tasks, the one that is explained. */
  readonly chosen: string | undefined
  readonly me: string
}

export const Card = memo(function Card({ card, chosen, me }: CardProps) {
  const [first, ...others] = card.rows
  return (
    <>
      <Row row={first} isFirst isChosen={first.task === chosen} me={me} />
      {others.map((row) => (
        <Row key={row.task} row={row} isFirst={false} isChosen={row.task === chosen} me={me} />
      ))}
    </>
  )
})

interface RowProps {
  readonly row: WorklistRow
  readonly isFirst: boolean
  readonly isChosen: boolean
  readonly me: string
}

function Row({ row, isFirst, isChosen, me }: RowProps) {
  const now = useNow()
  return (
    <Link
      to="/worklist"
      search={(before) => ({ ...before, task: row.task })}
      resetScroll={false}
      className={classes.row}
      data-chosen={isChosen || undefined}
      data-more={isFirst ? undefined : true}
      data-snoozed={isSnoozed(row, now) || undefined}
      data-priority={row.nature === 'technical' ? 'technical' : row.priority}
      data-task={row.task}
    >
      <PriorityMark priority={row.priority} nature={row.nature} size={isFirst ? 20 : 16} />
      <span className={isFirst ? classes.subject : classes.unseen}>{row.subject.name}</span>
      <span className={classes.what}>
        <span>{row.sentence}</span> <Remarks row={row} now={now} />
      </span>
      <span className={classes.age}>
        <Age at={row.value.measuredAt} />
      </span>
      <span className={classes.left}>
        <TimeLeft from={row.limitFrom ?? row.raisedAt} due={row.dueAt} />
      </span>
      <span className={classes.owner}>
        <Owner row={row} me={me} />
      </span>
    </Link>
  )
}

const escalated = ['', 'Backup told', 'Everybody of the role told']

/** What changes how a row is read: it is in range again, it was found late, others were told. */
function Remarks({ row, now }: { row: WorklistRow; now: number }) {
  const remarks = [
    isSnoozed(row, now) ? `Snoozed until ${momentText(row.snoozedUntil!, serverNow())}` : '',
    row.wrongSubject ? 'Readings were of somebody else' : '',
    row.condition === 'cleared' ? 'No longer active' : '',
    row.recurrences ? `Came back ${countText(row.recurrences, 'time')}` : '',
    row.claimedBy !== undefined && row.handling === 'new' ? 'Look again' : '',
    escalated[Math.min(row.escalation ?? 0, 2)]!,
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
