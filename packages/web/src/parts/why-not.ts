/** Why an action cannot be done now: a disabled action says so. */
import type { Action, Resource } from '@careloop/contract'
import { useLive } from '../app/live-context.tsx'
import { mayBe, useMe } from '../app/session.tsx'

/** @returns null = it can be done */
export function useWhyNot(action: Action, resource: Resource): string | null {
  const me = useMe()
  const live = useLive()
  if (!mayBe(me, action, resource))
    return `Your role (${me.roles.join(', ')}) does not include this. An administrator of ${me.tenant.name} can change that.`
  return live.is === 'disconnected' ? 'Not connected: this waits until the connection is back.' : null
}

/** Why nothing can be sent now: for forms that opened before the connection went. */
export const useOffline = (): string | null =>
  useLive().is === 'disconnected' ? 'Not connected: this waits until the connection is back.' : null
