/** The states every page has beside its content: empty, loading, failed, no right. */
import type { Action, Resource } from '@careloop/contract'
import { Button, Skeleton, Stack, Text, Title } from '@mantine/core'
import type { ReactNode } from 'react'
import { ApiError } from '../api/client.ts'
import { useNow } from '../app/clock.ts'
import { PageNotLoaded } from '../app/pages.ts'
import { useMe } from '../app/session.tsx'
import classes from './page-state.module.css'
import { momentText, spanText } from './words.ts'

/** What this is, and the one thing to do first. */
export function Empty({ title, children }: { title: string; children: ReactNode }) {
  return (
    <div className={classes.state}>
      <Title order={2}>{title}</Title>
      <Text c="dimmed" component="div">
        {children}
      </Text>
    </div>
  )
}

/** Rows of the height that the content will have, so that nothing jumps. */
export function Loading({ rows = 6, height = 44 }: { rows?: number; height?: number }) {
  return (
    <Stack gap={4} p="md" role="status" aria-label="Loading">
      {Array.from({ length: rows }, (_, row) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: rows without identity
        <Skeleton key={row} height={height} radius="sm" />
      ))}
    </Stack>
  )
}

/** @param still what goes on working meanwhile */
export function Failed({
  what,
  error,
  still,
  onRetry,
}: {
  what: string
  error: Error
  still?: string
  onRetry: () => void
}) {
  const isTold = error instanceof ApiError || error instanceof PageNotLoaded
  const words = isTold ? error.message : 'The page itself failed. Load it again.'
  const code = error instanceof ApiError ? error.code : 'page'
  return (
    <div className={classes.state} role="alert">
      <Title order={2}>{what}</Title>
      <Text>{words}</Text>
      {still === undefined ? null : <Text c="dimmed">{still}</Text>}
      <Text c="dimmed" size="xs">
        Code {code}
      </Text>
      <Button variant="default" onClick={onRetry}>
        Try again
      </Button>
    </div>
  )
}

/** What is on screen was read, and reading it again failed: it is said, with since when. @param readAt by this machine's clock */
export function NotRenewed({ error, readAt, onRetry }: { error: Error; readAt: number; onRetry: () => void }) {
  useNow()
  const words = error instanceof ApiError ? error.message : 'The page itself failed.'
  return (
    <div className={classes.old} role="alert">
      <span>
        <strong>
          This is from {momentText(readAt, Date.now(), true)} ({spanText(Date.now() - readAt)} old)
        </strong>{' '}
        and could not be read again. {words}
      </span>
      <Button variant="default" size="xs" onClick={onRetry}>
        Try again
      </Button>
    </div>
  )
}

/** Shows the page to whom it is open, else why not and whom to ask. */
export function WithRight({
  action = 'read',
  resource,
  what,
  children,
}: {
  action?: Action
  resource: Resource
  what: string
  children: ReactNode
}) {
  const me = useMe()
  if (me.allowed.includes(`${resource}:${action}`)) return children
  return (
    <div className={classes.state}>
      <Title order={1} tabIndex={-1}>
        {what}
      </Title>
      <Text>
        Your role ({me.roles.join(', ')}) does not include this. An administrator of {me.tenant.name} can change that.
      </Text>
    </div>
  )
}
