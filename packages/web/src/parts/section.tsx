/** A titled part of a page, with what can be done beside its title. */
import { Title } from '@mantine/core'
import { type ReactNode, useId } from 'react'
import classes from './section.module.css'

export function Section({ title, beside, children }: { title: string; beside?: ReactNode; children: ReactNode }) {
  const id = useId()
  return (
    <section className={classes.section} aria-labelledby={id}>
      <div className={classes.top}>
        <Title order={2} id={id}>
          {title}
        </Title>
        {beside}
      </div>
      {children}
    </section>
  )
}
