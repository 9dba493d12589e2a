/** What the pages of invitations, sign-in elsewhere, and accounts of patients and caregivers read. */
import { queryOptions } from '@tanstack/react-query'
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
  personAccounts: (subject: string) =>
    queryOptions({
      queryKey: ['subject', subject, 'accounts'],
      queryFn: ({ signal }) => call(endpoints.personAccounts, { params: { id: subject }, signal }),
    }),
}
