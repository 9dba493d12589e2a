/** What the pages of consent read. First words of the keys are those of `makeRefresher`. */
import { queryOptions } from '@tanstack/react-query'
import { call } from './client.ts'
import { endpoints } from './endpoints.ts'

export const consentQueries = {
  consents: (subject: string) =>
    queryOptions({
      queryKey: ['consents', subject],
      queryFn: ({ signal }) => call(endpoints.consents, { params: { id: subject }, signal }),
    }),
}
