/** What the pages of apps read. */
import { queryOptions } from '@tanstack/react-query'
import { call } from './client.ts'
import { endpoints } from './endpoints.ts'

export const appQueries = {
  registered: queryOptions({ queryKey: ['apps'], queryFn: ({ signal }) => call(endpoints.apps, { signal }) }),
  launchable: queryOptions({
    queryKey: ['apps', 'launchable'],
    queryFn: ({ signal }) => call(endpoints.launchableApps, { signal }),
    staleTime: 5 * 60_000,
  }),
  own: queryOptions({ queryKey: ['apps', 'own'], queryFn: ({ signal }) => call(endpoints.myApps, { signal }) }),
}
