/** How old something is, growing by itself; the exact time on hover and for screen readers. */
import { useNow } from '../app/clock.ts'
import { agoText, momentText } from './words.ts'

export function Age({ at }: { at: number }) {
  const now = useNow()
  return (
    <time className="nowrap" dateTime={new Date(at).toISOString()} title={momentText(at, now, true)}>
      {agoText(at, now)}
    </time>
  )
}
