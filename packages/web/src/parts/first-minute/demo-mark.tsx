/** Says on every page that nobody in these data is real, for as long as they are shown. */
import { useQuery } from '@tanstack/react-query'
import { queries } from '../../api/queries.ts'
import classes from './first-minute.module.css'
import { hide, useProgress } from './progress.ts'

export const useIsDemo = (): boolean => useQuery(queries.place).data?.demo ?? false

/**
 * @param guides whether the first minute can be called back from here
 * @param isOver above a page that fills the screen by itself
 */
export function DemoMark({ guides = false, isOver = false }: { guides?: boolean; isOver?: boolean }) {
  const isDemo = useIsDemo()
  const { isHidden } = useProgress()
  if (!isDemo) return null
  return (
    <aside className={classes.demo} aria-label="Demo" data-over={isOver || undefined}>
      <strong>Demo data: no real patients</strong>
      {isOver ? <span>Addresses and passwords stand on the terminal.</span> : null}
      {guides && isHidden ? (
        <button type="button" className={classes.call} onClick={() => hide(false)}>
          Show the first minute
        </button>
      ) : null}
    </aside>
  )
}
