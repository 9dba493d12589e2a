/** The cards in their groups. A long list is drawn only where it is looked at; its counts say how much there is. */
import { useVirtualizer } from '@tanstack/react-virtual'
import { type RefObject, useEffect, useImperativeHandle } from 'react'
import { Card } from './card.tsx'
import type { Card as CardOf, Group, GroupName } from './order.ts'
import classes from './worklist.module.css'

export const groupWords: Readonly<Record<GroupName, string>> = {
  overdue: 'Overdue',
  mine: 'Mine',
  team: 'My team',
  others: 'Others',
}

/** From this many cards on, only those in view are in the page. */
export const longFrom = 120

/** Brings a card into view that may not be in the page yet. */
export interface ListHandle {
  readonly bring: (card: string) => void
}

export interface ListProps {
  readonly groups: readonly Group[]
  readonly chosen: string | undefined
  readonly me: string
  readonly scroller: RefObject<HTMLDivElement | null>
  readonly handle: RefObject<ListHandle | null>
}

export function CardList(props: ListProps) {
  const count = props.groups.reduce((sum, { cards }) => sum + cards.length, 0)
  return count >= longFrom ? <LongList {...props} /> : <ShortList {...props} />
}

const countOf = (group: Group): number => group.cards.reduce((sum, { rows }) => sum + rows.length, 0)

const chosenOf = (card: CardOf, chosen: string | undefined) =>
  card.rows.some(({ task }) => task === chosen) ? chosen : undefined

function ShortList({ groups, chosen, me, handle }: ListProps) {
  useImperativeHandle(handle, () => ({ bring: () => {} }), [])
  return groups.map((group) => (
    <section key={group.name} aria-labelledby={`group-${group.name}`}>
      <h2 id={`group-${group.name}`} className={classes.group} data-overdue={group.name === 'overdue' || undefined}>
        {groupWords[group.name]} · {countOf(group)}
      </h2>
      <ul className={classes.items}>
        {group.cards.map((card) => (
          <li key={card.id} className={classes.item}>
            <Card card={card} chosen={chosenOf(card, chosen)} me={me} />
          </li>
        ))}
      </ul>
    </section>
  ))
}

type Item =
  | { readonly key: string; readonly group: Group }
  | { readonly key: string; readonly card: CardOf; readonly at: number }

function LongList({ groups, chosen, me, scroller, handle }: ListProps) {
  const total = groups.reduce((sum, { cards }) => sum + cards.length, 0)
  const items = itemsOf(groups)
  const virtual = useVirtualizer({
    count: items.length,
    getScrollElement: () => scroller.current,
    estimateSize: (index) => sizeOf(items[index]!),
    getItemKey: (index) => items[index]!.key,
    overscan: 12,
  })
  const indexOf = (card: string) => items.findIndex(({ key }) => key === card)
  useImperativeHandle(handle, () => ({ bring: (card) => virtual.scrollToIndex(indexOf(card), { align: 'auto' }) }))
  // Sizes change with the width: what was measured at another is worth nothing.
  useEffect(() => {
    const measure = () => virtual.measure()
    addEventListener('resize', measure)
    return () => removeEventListener('resize', measure)
  }, [virtual])
  return (
    <div className={classes.long} style={{ height: virtual.getTotalSize() }}>
      {virtual.getVirtualItems().map(({ index, start, key }) => {
        const item = items[index]!
        const place = { transform: `translateY(${start}px)` }
        return 'group' in item ? (
          <div key={key} data-index={index} ref={virtual.measureElement} className={classes.placed} style={place}>
            <h2 className={classes.group} data-overdue={item.group.name === 'overdue' || undefined}>
              {groupWords[item.group.name]} · {countOf(item.group)}
            </h2>
          </div>
        ) : (
          // biome-ignore lint/a11y/useSemanticElements: a card is no set of fields
          <div
            key={key}
            data-index={index}
            ref={virtual.measureElement}
            className={`${classes.placed} ${classes.item}`}
            style={place}
            // What is not drawn cannot be counted by a screen reader: each card says where it stands.
            role="group"
            aria-label={`${item.at} of ${total}`}
          >
            <Card card={item.card} chosen={chosenOf(item.card, chosen)} me={me} />
          </div>
        )
      })}
    </div>
  )
}

/** As in worklist.module.css: 44 px a row, 36 px each further one; measured once it is drawn. */
const sizeOf = (item: Item): number => ('group' in item ? 36 : 45 + (item.card.rows.length - 1) * 36)

function itemsOf(groups: readonly Group[]): Item[] {
  let at = 0
  return groups.flatMap((group): Item[] => [
    { key: `group-${group.name}`, group },
    ...group.cards.map((card) => {
      at += 1
      return { key: card.id, card, at }
    }),
  ])
}
