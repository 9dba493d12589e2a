/** The row that somebody works on stays where it is on the screen, whatever comes or goes above it. */
import { type RefObject, useEffect, useLayoutEffect, useRef } from 'react'

const rowOf = (list: HTMLElement, task: string) => list.querySelector<HTMLElement>(`[data-task="${CSS.escape(task)}"]`)

/**
 * @param ids tasks in their order: only a change of it moves anything
 * @param chosen the row that stays
 */
export function useSteadyRow(
  scroller: RefObject<HTMLDivElement | null>,
  ids: readonly string[],
  chosen: string | undefined,
) {
  const order = ids.join()
  const last = useRef<{ task: string; order: string; top: number } | null>(null)
  const focused = useRef<string | undefined>(undefined)
  useLayoutEffect(() => {
    const list = scroller.current
    if (list === null || chosen === undefined) return
    const row = rowOf(list, chosen)
    if (row === null) return
    const topNow = () => row.getBoundingClientRect().top
    const before = last.current
    if (before !== null && before.task === chosen && before.order !== order) list.scrollTop += topNow() - before.top
    last.current = { task: chosen, order, top: topNow() }
    // Moving a row in the page takes the focus off it.
    if (focused.current !== undefined && document.activeElement === document.body)
      rowOf(list, focused.current)?.focus({ preventScroll: true })
  }, [order, chosen, scroller])
  useEffect(() => {
    const list = scroller.current
    if (list === null) return
    const note = () => {
      const row = last.current === null ? null : rowOf(list, last.current.task)
      if (row !== null) last.current = { ...last.current!, top: row.getBoundingClientRect().top }
    }
    const focus = () => {
      focused.current = document.activeElement?.closest<HTMLElement>('[data-task]')?.dataset.task
    }
    list.addEventListener('scroll', note, { passive: true })
    document.addEventListener('focusin', focus)
    addEventListener('resize', note)
    return () => {
      list.removeEventListener('scroll', note)
      document.removeEventListener('focusin', focus)
      removeEventListener('resize', note)
    }
  }, [scroller])
}

/** Scrolls no more than needed and puts the focus on the row, so that it is read out. */
export function focusRow(list: HTMLElement | null, task: string): boolean {
  const row = list === null ? null : rowOf(list, task)
  row?.scrollIntoView({ block: 'nearest' })
  row?.focus({ preventScroll: true })
  return row !== null
}
