/** What the pages of invitations, sign-in elsewhere, and accounts of patients and caregivers read. */
import { infiniteQueryOptions, queryOptions } from '@tanstack/react-query'
import { call } from './client.ts'
import { endpoints } from './endpoints.ts'

export const accessQueries = {
  invitations: queryOptions({
    queryKey: ['invitations'],
    queryFn: ({ signal }) => call(endpoints.invitations, { signal }),
  }),
  identityProvider: queryOptions({
    queryKey: ['identity-provider'],
    queryFn: async ({ signal }) => (await call(endpoints.identityProvider, { signal })).provider,
  }),
  ssoButtons: queryOptions({
    queryKey: ['sso-buttons'],
    queryFn: async ({ signal }) => (await call(endpoints.ssoButtons, { signal })).items,
    retry: false,
  }),
  ownPerson: queryOptions({
    queryKey: ['own-person'],
    queryFn: ({ signal }) => call(endpoints.ownPerson, { signal }),
  }),
  /** Whom a caregiver sees: their consent stands now. */
  caredFor: infiniteQueryOptions({
    queryKey: ['cared-for'],
    queryFn: ({ pageParam, signal }) =>
      call(endpoints.subjects, { query: { limit: 20, ...(pageParam === null ? {} : { after: pageParam }) }, signal }),
    initialPageParam: null as string | null,
    getNextPageParam: ({ next }) => next,
    refetchInterval: 60_000,
  }),
  personAccounts: (subject: string) =>
    queryOptions({
      queryKey: ['subject', subject, 'accounts'],
      queryFn: ({ signal }) => call(endpoints.personAccounts, { params: { id: subject }, signal }),
    }),
}
