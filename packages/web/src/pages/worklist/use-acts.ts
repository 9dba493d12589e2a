/** Acting on a task: asks the server, shows what came of it at once, offers to take it back, goes on to the next row. */
import type { CompleteTask, HandOffTask, StaffRef, TaskBody, TaskTaken, Worklist } from '@careloop/contract'
import { type QueryClient, useMutation, useQueryClient } from '@tanstack/react-query'
import { ApiError, call } from '../../api/client.ts'
import { endpoints } from '../../api/endpoints.ts'
import { queries } from '../../api/queries.ts'
import { serverNow, useNow } from '../../app/clock.ts'
import { useLive } from '../../app/live-context.tsx'
import { useMay, useMe } from '../../app/session.tsx'
import { tellDone } from '../../parts/undo/undo-store.ts'
import { momentText } from '../../parts/words.ts'
import { type ActedRow, isTakenOver, type WhyNot, wasTheirs, whyNot } from './acts.ts'

/** What acting needs of a task; a row of the list is one, and so is the task itself. */
export type Acted = ActedRow & Pick<TaskBody, 'task' | 'version' | 'subject'>

export type Wanted =
  | { readonly act: 'claim'; readonly takeOver?: boolean }
  | { readonly act: 'acknowledge' | 'release' }
  | { readonly act: 'snooze'; readonly minutes: number }
  | { readonly act: 'handOff'; readonly body: Pick<HandOffTask, 'to' | 'note'>; readonly to: StaffRef }
  /** `version` of the task as the dialog showed it: what happened since may change what a person would say. */
  | { readonly act: 'complete'; readonly body: CompleteTask; readonly label: string }

export interface Going {
  /** Acting ends the work on this row: the next one is chosen. */
  readonly onward: (task: string) => void
  /** Taken back: the row is chosen again. */
  readonly back: (task: string) => void
}

export interface TaskActs {
  readonly why: WhyNot
  readonly mayTakeOver: boolean
  readonly isActing: boolean
  /** Of the last act, when it was refused. */
  readonly refused: ApiError | null
  /** Asks once; a second press meanwhile does nothing. */
  readonly act: (wanted: Wanted) => Promise<boolean>
  readonly forget: () => void
}

export function useTaskActs(task: Acted, going: Going): TaskActs {
  const client = useQueryClient()
  const why = useWhyNot(task)
  const mutation = useMutation({
    mutationFn: (wanted: Wanted) => ask(task, wanted),
    onSuccess(done, wanted) {
      tellDone(tellingOf(task, done, wanted, client, going))
      // Claiming begins the work on a row; everything else ends it.
      if (wanted.act !== 'claim' && wanted.act !== 'release') going.onward(task.task)
      putInPlace(client, done)
    },
    onError(error, wanted) {
      if (wanted.act !== 'complete' && wanted.act !== 'handOff') tellDone({ words: refusalWords(error) })
    },
    onSettled: (_done, error) => renew(client, task.task, error !== null),
  })
  return {
    ...why,
    isActing: mutation.isPending,
    refused: mutation.error instanceof ApiError ? mutation.error : null,
    act: (wanted) =>
      mutation.isPending
        ? Promise.resolve(false)
        : mutation.mutateAsync(wanted).then(
            () => true,
            () => false,
          ),
    forget: mutation.reset,
  }
}

function useWhyNot(task: Acted): { why: WhyNot; mayTakeOver: boolean } {
  const me = useMe().id
  const mayAct = useMay('act', 'task')
  const isConnected = useLive().is !== 'disconnected'
  const around = { me, mayAct, isConnected, now: useNow() }
  return { why: whyNot(task, around), mayTakeOver: isTakenOver(task, around) }
}

function ask({ task: id, version }: Acted, wanted: Wanted): Promise<TaskBody> {
  const params = { id }
  switch (wanted.act) {
    case 'claim':
      return call(endpoints.claim, { params, query: { version, ...(wanted.takeOver ? { takeOver: 'true' } : {}) } })
    case 'acknowledge':
      return call(endpoints.acknowledge, { params, query: { version } })
    case 'release':
      return call(endpoints.release, { params, query: { version } })
    case 'snooze':
      return call(endpoints.snooze, { params, body: { minutes: wanted.minutes, version } })
    case 'handOff':
      return call(endpoints.handOff, { params, body: { ...wanted.body, version } })
    case 'complete':
      return call(endpoints.complete, { params, body: wanted.body })
  }
}

/** What was done in words, and how it is taken back. A hand-off is not: the colleague was told. */
function tellingOf(before: Acted, done: TaskBody, wanted: Wanted, client: QueryClient, going: Going) {
  const name = before.subject.name
  const { task: id, version } = done
  const undoing = (again: () => Promise<TaskBody>, words: string) => async () => {
    putInPlace(client, await again())
    await renew(client, id, false)
    going.back(id)
    return words
  }
  const release = undoing(
    () => call(endpoints.release, { params: { id }, query: { version } }),
    `Given back: ${name} waits for somebody again.`,
  )
  switch (wanted.act) {
    case 'claim':
      return { words: `Claimed for ${name}.`, undo: release }
    case 'acknowledge':
      if (wasTheirs(before, done)) return { words: `Acknowledged for ${name}: it came back, and you have seen it.` }
      return { words: `Acknowledged for ${name}.`, undo: release }
    case 'release':
      return {
        words: `Given back: ${name}.`,
        undo: undoing(() => call(endpoints.claim, { params: { id }, query: { version } }), `Claimed for ${name}.`),
      }
    case 'snooze':
      return {
        words: `Snoozed for ${name} until ${momentText(done.snoozedUntil ?? serverNow(), serverNow())}.`,
        undo: undoing(
          () => call(endpoints.snooze, { params: { id }, body: { minutes: 0, version } }),
          `No longer snoozed: ${name}.`,
        ),
      }
    case 'handOff':
      return { words: `Handed off for ${name} to ${wanted.to.name}, who is told.` }
    case 'complete':
      return {
        words: `Completed for ${name}: ${wanted.label}.`,
        undo: undoing(
          () => call(endpoints.reopen, { params: { id }, query: { version } }),
          `Open again, and yours: ${name}.`,
        ),
      }
  }
}

/** The list and the task show at once what the server answered; the live channel brings the rest. */
function putInPlace(client: QueryClient, done: TaskBody): void {
  client.setQueryData(queries.task(done.task).queryKey, done)
  client.setQueryData<Worklist>(queries.worklist.queryKey, (list) => {
    if (list === undefined) return list
    const others = list.rows.filter((row) => row.task !== done.task)
    const isThere = others.length < list.rows.length
    if (done.status === 'completed') return { ...list, rows: others, total: list.total - (isThere ? 1 : 0) }
    const rows = isThere ? list.rows.map((row) => (row.task === done.task ? done : row)) : [...list.rows, done]
    return { ...list, rows, total: list.total + (isThere ? 0 : 1) }
  })
}

function renew(client: QueryClient, id: string, wasRefused: boolean): Promise<unknown> {
  return Promise.all([
    client.invalidateQueries({ queryKey: ['worklist'] }),
    // A colleague was faster, or something happened meanwhile: show what.
    wasRefused ? client.invalidateQueries({ queryKey: ['task', id] }) : undefined,
  ])
}

export function refusalWords(error: Error): string {
  const taken = error instanceof ApiError ? (error.body as Partial<TaskTaken> | undefined) : undefined
  if (taken?.claimedBy === undefined) return error.message
  const since = taken.claimedAt === undefined ? '' : ` since ${momentText(taken.claimedAt, serverNow())}`
  return `${taken.claimedBy.name} has this${since}. Talk to them, or choose another.`
}
