/** The time that is left as a bar that shortens, and in words. Overdue is said, not only coloured. */
import { useNow } from '../app/clock.ts'
import classes from './time-left.module.css'
import { spanText } from './words.ts'

export function TimeLeft({ from, due }: { from: number; due: number }) {
  const now = useNow()
  const left = due - now
  const share = Math.min(1, Math.max(0, left / Math.max(1, due - from)))
  return (
    <div className={classes.left} data-overdue={left < 0 || undefined}>
      <span className="nowrap">{left < 0 ? `Overdue by ${spanText(-left)}` : `${spanText(left)} left`}</span>
      <span className={classes.track} aria-hidden="true">
        <span className={classes.bar} style={{ width: `${share * 100}%` }} />
      </span>
    </div>
  )
}
