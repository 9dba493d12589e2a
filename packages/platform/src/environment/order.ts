/** What a board shows first: where something is lost while nobody looks. Pure. */
import { type BoardUnit, priorities } from '@careloop/contract'

type Judged = Pick<BoardUnit, 'alerts' | 'outSince' | 'probes'> & { readonly subject: { readonly name: string } }

const silent = priorities.length
const waiting = silent + 2
const fine = waiting + 1

/**
 * By the priority of an alert whose condition stands; out of the band though no alert says so yet comes as low ones do; then
 * silence, which may hide anything; then what only waits to be closed.
 */
function rankOf({ alerts, outSince, probes }: Judged): number {
  const standing = alerts.filter(({ condition }) => condition === 'active')
  const worst = Math.min(...standing.map(({ priority }) => priorities.indexOf(priority)), fine)
  if (worst < priorities.length) return worst
  if (outSince !== null) return silent - 1
  if (probes.length === 0 || probes.some(({ state }) => state !== 'fresh')) return silent + 1
  return alerts.length > 0 ? waiting : fine
}

/** Those of nobody's hands before those that somebody is on. */
const handsOf = ({ alerts }: Judged): number => (alerts.some(({ handling }) => handling === 'new') ? 0 : 1)

const collator = new Intl.Collator('en', { sensitivity: 'base', numeric: true })

export const worstFirst = (a: Judged, b: Judged): number =>
  rankOf(a) - rankOf(b) || handsOf(a) - handsOf(b) || collator.compare(a.subject.name, b.subject.name)
