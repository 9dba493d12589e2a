/** What the developer area reads. */
import type { CapabilityStatement, Subscription } from '@medplum/fhirtypes'
import { queryOptions } from '@tanstack/react-query'
import { readFhir, searchFhir } from './fhir.ts'

export const developerQueries = {
  capabilities: queryOptions({
    queryKey: ['developers', 'capabilities'],
    queryFn: ({ signal }) => readFhir<CapabilityStatement>('/metadata', { signal }),
    staleTime: 600_000,
  }),
  subscriptions: queryOptions({
    queryKey: ['developers', 'subscriptions'],
    queryFn: ({ signal }) => searchFhir<Subscription>('Subscription', {}, { signal }),
    refetchInterval: 15_000,
  }),
}
