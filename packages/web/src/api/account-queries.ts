/** What the pages of people and of one's own account read. */
import { queryOptions } from '@tanstack/react-query'
import { call } from './client.ts'
import { endpoints } from './endpoints.ts'

export const accountQueries = {
  sessions: queryOptions({
    queryKey: ['sessions'],
    queryFn: ({ signal }) => call(endpoints.sessions, { signal }),
  }),
  secondFactor: queryOptions({
    queryKey: ['second-factor'],
    queryFn: ({ signal }) => call(endpoints.secondFactor, { signal }),
  }),
  passkeys: queryOptions({
    queryKey: ['passkeys'],
    queryFn: ({ signal }) => call(endpoints.passkeys, { signal }),
  }),
  people: queryOptions({
    queryKey: ['people'],
    queryFn: ({ signal }) => call(endpoints.people, { signal }),
  }),
}
