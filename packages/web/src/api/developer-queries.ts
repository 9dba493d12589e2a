/** What the developer area reads. */
import type { CapabilityStatement } from '@medplum/fhirtypes'
import { queryOptions } from '@tanstack/react-query'
import { call } from './client.ts'
import { endpoints } from './endpoints.ts'
import { readFhir } from './fhir.ts'

export const developerQueries = {
  capabilities: queryOptions({
    queryKey: ['developers', 'capabilities'],
    queryFn: ({ signal }) => readFhir<CapabilityStatement>('/metadata', { signal }),
    staleTime: 600_000,
  }),
  subscriptions: queryOptions({
    queryKey: ['developers', 'subscriptions'],
    queryFn: ({ signal }) => call(endpoints.subscriptions, { signal }),
    refetchInterval: 15_000,
  }),
}
