/** Who is signed in and what they may do. */
import type { Action, Me, Resource } from '@careloop/contract'
import { useSuspenseQuery } from '@tanstack/react-query'
import { queries } from '../api/queries.ts'

/** Below the signed-in route the answer is there already: its loader asked. */
export const useMe = (): Me => useSuspenseQuery(queries.me).data

export const mayBe = (me: Me, action: Action, resource: Resource): boolean =>
  me.allowed.includes(`${resource}:${action}`)

export const useMay = (action: Action, resource: Resource): boolean => mayBe(useMe(), action, resource)
