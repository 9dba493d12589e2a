/** What the pages of compliance read without being asked by a form. First words of the keys are those of `makeRefresher`. */
import { queryOptions } from '@tanstack/react-query'
import { call } from './client.ts'
import { endpoints } from './endpoints.ts'

export const complianceQueries = {
  unusual: queryOptions({
    queryKey: ['audit', 'unusual'],
    queryFn: ({ signal }) => call(endpoints.unusual, { signal }),
  }),
  watched: queryOptions({
    queryKey: ['audit', 'watched'],
    queryFn: ({ signal }) => call(endpoints.watchedRecords, { signal }),
  }),
  breaches: queryOptions({
    queryKey: ['breaches'],
    queryFn: ({ signal }) => call(endpoints.breaches, { signal }),
    refetchInterval: 60_000,
  }),
}
