/** What the pages of reviews, emergency access and wall screens read. First words of the keys are those of `makeRefresher`. */
import { queryOptions } from '@tanstack/react-query'
import { call } from './client.ts'
import { endpoints } from './endpoints.ts'

export const officeQueries = {
  reviews: (isClosed: boolean) =>
    queryOptions({
      queryKey: ['reviews', isClosed ? 'closed' : 'todo'],
      queryFn: ({ signal }) => call(endpoints.reviews, { query: { status: isClosed ? 'closed' : undefined }, signal }),
      // What falls due is no fact to the page: times on it are read again each minute.
      refetchInterval: 60_000,
    }),
  /** @param subject absent = what is open, of everybody */
  erasure: (subject: string | undefined) =>
    queryOptions({
      queryKey: ['erasure', subject ?? 'open'],
      queryFn: ({ signal }) =>
        subject === undefined
          ? call(endpoints.erasures, { signal })
          : call(endpoints.erasureOf, { params: { id: subject }, signal }),
      refetchInterval: 60_000,
    }),
  review: (id: string) =>
    queryOptions({
      queryKey: ['reviews', 'one', id],
      queryFn: ({ signal }) => call(endpoints.review, { params: { id }, signal }),
    }),
  ownBreakGlass: queryOptions({
    queryKey: ['break-glass'],
    queryFn: ({ signal }) => call(endpoints.ownBreakGlass, { signal }),
    refetchInterval: 60_000,
  }),
  breakGlassSetting: queryOptions({
    queryKey: ['reviews', 'setting'],
    queryFn: ({ signal }) => call(endpoints.breakGlassSetting, { signal }),
  }),
  systemHealth: queryOptions({
    queryKey: ['system-health'],
    queryFn: ({ signal }) => call(endpoints.systemHealth, { signal }),
    refetchInterval: 30_000,
  }),
  displays: queryOptions({
    queryKey: ['displays'],
    queryFn: ({ signal }) => call(endpoints.displays, { signal }),
    refetchInterval: 30_000,
  }),
}
