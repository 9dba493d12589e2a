/** The frame of the pages before a session: sign-in and the first administrator. */
import { Text, Title } from '@mantine/core'
import type { ReactNode } from 'react'
import { DemoMark } from '../parts/first-minute/demo-mark.tsx'
import { refusalWords } from '../parts/refusal.tsx'
import classes from './door.module.css'

export function Door({ title, children }: { title: string; children: ReactNode }) {
  return (
    <>
      <DemoMark isOver />
      <main className={classes.door}>
        <div className={classes.card}>
          <div className={classes.brand}>
            <img src="/icon.svg" alt="" />
            Careloop
          </div>
          <Title order={1}>{title}</Title>
          {children}
        </div>
      </main>
    </>
  )
}

export function Refusal({ error }: { error: Error | null }) {
  if (error === null) return null
  return (
    <Text role="alert" fw={600}>
      {refusalWords(error)}
    </Text>
  )
}
