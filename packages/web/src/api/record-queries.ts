/** What the page of a patient's record reads, by FHIR. First words of the keys are those of `makeRefresher`. */
import type {
  CarePlan,
  CareTeam,
  Communication,
  DeviceUseStatement,
  Observation,
  Patient,
  QuestionnaireResponse,
  RelatedPerson,
} from '@medplum/fhirtypes'
import { queryOptions } from '@tanstack/react-query'
import { readFhir, searchFhir } from './fhir.ts'

const dayMs = 86_400_000
/** More than a page can show at once: five measures, 20 times a day, for 30 days. */
const mostVitals = 3_000

/** @param patient FHIR id */
export const recordQueries = {
  patient: (patient: string) =>
    queryOptions({
      queryKey: ['subject', 'record', patient],
      queryFn: ({ signal }) => readFhir<Patient>(`/Patient/${encodeURIComponent(patient)}`, { signal }),
    }),
  care: (patient: string) =>
    queryOptions({
      queryKey: ['enrolments', 'record', patient],
      queryFn: async ({ signal }) => {
        const of = { patient: `Patient/${patient}` }
        const [plans, teams, people] = await Promise.all([
          searchFhir<CarePlan>('CarePlan', of, { signal }),
          searchFhir<CareTeam>('CareTeam', of, { signal }),
          searchFhir<RelatedPerson>('RelatedPerson', of, { signal }),
        ])
        return { plans: plans.resources, teams: teams.resources, people: people.resources }
      },
    }),
  devices: (patient: string) =>
    queryOptions({
      queryKey: ['devices', 'record', patient],
      queryFn: ({ signal }) =>
        searchFhir<DeviceUseStatement>('DeviceUseStatement', { patient: `Patient/${patient}` }, { signal }),
    }),
  vitals: (patient: string, days: number) =>
    queryOptions({
      queryKey: ['series', 'record', patient, days],
      queryFn: ({ signal }) => {
        const from = new Date(Date.now() - days * dayMs).toISOString()
        const wanted = { patient: `Patient/${patient}`, category: 'vital-signs', date: `ge${from}`, _sort: '-date' }
        return searchFhir<Observation>('Observation', wanted, { signal, most: mostVitals })
      },
      // A reading tells of itself by no fact: it is read again while somebody looks.
      refetchInterval: 30_000,
    }),
  documents: (patient: string) =>
    queryOptions({
      queryKey: ['task', 'record', patient],
      queryFn: async ({ signal }) => {
        const of = { patient: `Patient/${patient}`, _sort: '-_lastUpdated' }
        const some = { signal, most: 100 }
        const [answers, sent] = await Promise.all([
          searchFhir<QuestionnaireResponse>('QuestionnaireResponse', of, some),
          searchFhir<Communication>('Communication', of, some),
        ])
        return [...answers.resources, ...sent.resources]
      },
    }),
}
