/** When an alert's condition stood, in words: of one that came back the newest time counts, and the first is told too. Pure. */
import type { SubjectAlerts } from '@careloop/contract'
import { countText, momentText, spanText } from '../../parts/words.ts'

type Stood = Pick<SubjectAlerts['items'][number], 'spans'>

/** `since 20:22, for 4 min, first 18 Oct 09:10, came back 2 times`; `09:10, lasted 12 min`; of a moment found late only when. */
export function stoodWords({ spans }: Stood, now: number): string {
  const { from, to } = spans.at(-1)!
  const when = momentText(from, now)
  const newest = [
    ...(to === null ? [`since ${when}`, `for ${spanText(now - from)}`] : [when]),
    ...(to === null || to === from ? [] : [`lasted ${spanText(to - from)}`]),
  ]
  const times = spans.length - 1
  const before =
    times === 0 ? [] : [`first ${momentText(spans[0]!.from, now)}`, `came back ${countText(times, 'time')}`]
  return [...newest, ...before].join(', ')
}

/** When it ended last, ms since epoch; of one that stands when it began. */
export const endOf = ({ spans }: Stood): number => spans.at(-1)!.to ?? spans.at(-1)!.from
