/** A plain page: its one heading, what stands beside it, its content. */
import { Title } from '@mantine/core'
import { type ReactNode, useEffect } from 'react'
import classes from './page.module.css'

export function Page({ title, beside, children }: { title: string; beside?: ReactNode; children: ReactNode }) {
  return (
    <div className={classes.page}>
      <div className={classes.top}>
        <Title order={1} tabIndex={-1}>
          {title}
        </Title>
        {beside}
      </div>
      {children}
    </div>
  )
}

/** @param title of the browser's tab: never a person's name, since tabs are seen by others and kept in histories */
export function useTitle(title: string): void {
  useEffect(() => {
    document.title = `${title} · Careloop`
  }, [title])
}
