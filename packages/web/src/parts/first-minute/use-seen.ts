/** Which steps the pages' own cache shows to be done; it asks the server for nothing. */
import type { ExplainBody, TaskBody, Worklist } from '@careloop/contract'
import { notifyManager, type QueryClient, useQueryClient } from '@tanstack/react-query'
import { useRouterState } from '@tanstack/react-router'
import { useCallback, useSyncExternalStore } from 'react'
import { queries } from '../../api/queries.ts'
import { useMe } from '../../app/session.tsx'
import { doneBy, type Seen, type Step } from './steps.ts'

/** @returns ids, joined by a space: the same text as long as nothing new is done */
export function useSeenSteps(steps: readonly Step[]): string {
  const me = useMe()
  const client = useQueryClient()
  const path = useRouterState({ select: (state) => state.location.pathname })
  const listen = useCallback(
    (changed: () => void) => client.getQueryCache().subscribe(notifyManager.batchCalls(changed)),
    [client],
  )
  return useSyncExternalStore(listen, () => doneBy(steps, { me, path, ...cached(client) }).join(' '))
}

function cached(client: QueryClient): Pick<Seen, 'rows' | 'tasks' | 'explained'> {
  const all = <T>(word: string): T[] =>
    client.getQueriesData<T>({ queryKey: [word] }).flatMap(([, data]) => (data === undefined ? [] : [data]))
  return {
    rows: client.getQueryData<Worklist>(queries.worklist.queryKey)?.rows,
    tasks: all<TaskBody>('task'),
    explained: new Set(all<ExplainBody>('explain').map(({ alert }) => alert.id)),
  }
}
