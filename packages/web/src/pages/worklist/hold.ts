/**
 * The list stays still while somebody works on a card: the card keeps its place among its neighbours until they go on, though it
 * was claimed, became overdue or cleared meanwhile. Nothing else is held back: what is new stands where it belongs, at once.
 */
import type { Card, Group, GroupName } from './order.ts'

/**
 * @param wanted the order by urgency now
 * @param before as it was shown last
 * @param held id of the card that is worked on
 */
export function holdPlace(wanted: readonly Group[], before: readonly Group[], held: string | undefined): Group[] {
  const was = before.find(({ cards }) => cards.some(({ id }) => id === held))
  const card = wanted.flatMap(({ cards }) => cards).find(({ id }) => id === held)
  if (was === undefined || card === undefined) return [...wanted]
  const rest = wanted.map(({ name, cards }) => ({ name, cards: cards.filter(({ id }) => id !== held) }))
  const own = rest.find(({ name }) => name === was.name)?.cards ?? []
  const cards = own.toSpliced(placeIn(own, was, wanted, card), 0, card)
  return order.flatMap((name) => {
    const there = name === was.name ? cards : rest.find((group) => group.name === name)?.cards
    return there === undefined || there.length === 0 ? [] : [{ name, cards: there }]
  })
}

const order: readonly GroupName[] = ['overdue', 'mine', 'team', 'others']

/** Before who came after it; with nobody left after it, after who came before, and after what is new and more urgent. */
function placeIn(own: readonly Card[], was: Group, wanted: readonly Group[], card: Card): number {
  const ids = was.cards.map(({ id }) => id)
  const at = ids.indexOf(card.id)
  const indexOf = (id: string) => own.findIndex((each) => each.id === id)
  const after = ids
    .slice(at + 1)
    .map(indexOf)
    .find((index) => index >= 0)
  if (after !== undefined) return after
  const before = ids
    .slice(0, at)
    .map(indexOf)
    .findLast((index) => index >= 0)
  const now = wanted.find(({ name }) => name === was.name)?.cards.findIndex(({ id }) => id === card.id) ?? -1
  return Math.max((before ?? -1) + 1, now < 0 ? own.length : now)
}

/** How many tasks that were not there before stand above a row: said, because somebody who looks down does not see them. */
export function newAbove(ids: readonly string[], known: ReadonlySet<string>, chosen: string | undefined): string[] {
  const at = chosen === undefined ? -1 : ids.indexOf(chosen)
  return ids.slice(0, Math.max(0, at)).filter((id) => !known.has(id))
}
