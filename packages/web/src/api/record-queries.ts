/** What the page of a patient's record reads, by FHIR. First words of the keys are those of `makeRefresher`. */
import type {
  CarePlan,
  CareTeam,
  Communication,
  DeviceUseStatement,
  Observation,
  Patient,
  PlanDefinition,
  Practitioner,
  QuestionnaireResponse,
  RelatedPerson,
} from '@medplum/fhirtypes'
import { queryOptions } from '@tanstack/react-query'
import { readFhir, searchFhir } from './fhir.ts'

const dayMs = 86_400_000
/** More than a page can show at once: five measures, 20 times a day, for 30 days. */
const mostVitals = 3_000
/** What other rooms hold stands in the record a moment after their facts. */
const viewsMs = 20_000

/** @param patient FHIR id */
export const recordQueries = {
  patient: (patient: string) =>
    queryOptions({
      queryKey: ['subject', 'record', patient],
      queryFn: ({ signal }) => readFhir<Patient>(`/Patient/${encodeURIComponent(patient)}`, { signal }),
    }),
  /** @param team of the patient */
  care: (patient: string, team: string | null) =>
    queryOptions({
      queryKey: ['enrolments', 'record', patient, team],
      queryFn: async ({ signal }) => {
        const of = { patient: `Patient/${patient}` }
        const [plans, people, teams, staff, programs] = await Promise.all([
          searchFhir<CarePlan>('CarePlan', of, { signal }),
          searchFhir<RelatedPerson>('RelatedPerson', of, { signal }),
          team === null ? null : searchFhir<CareTeam>('CareTeam', { _id: team }, { signal }),
          searchFhir<Practitioner>('Practitioner', {}, { signal }),
          searchFhir<PlanDefinition>('PlanDefinition', {}, { signal }),
        ])
        const { resources: practitioners } = staff
        return {
          ...{ plans: plans.resources, people: people.resources, teams: teams?.resources ?? [] },
          staff: new Map(practitioners.map((each) => [`Practitioner/${each.id}`, each.name?.[0]])),
          programs: new Map(programs.resources.map(({ url, title, name }) => [url, title ?? name])),
        }
      },
      refetchInterval: viewsMs,
    }),
  devices: (patient: string) =>
    queryOptions({
      queryKey: ['devices', 'record', patient],
      queryFn: ({ signal }) => {
        const wanted = { patient: `Patient/${patient}`, _include: 'DeviceUseStatement:device' }
        return searchFhir<DeviceUseStatement>('DeviceUseStatement', wanted, { signal })
      },
      refetchInterval: viewsMs,
    }),
  vitals: (patient: string, days: number) =>
    queryOptions({
      queryKey: ['series', 'record', patient, days],
      queryFn: ({ signal }) => {
        const from = new Date(Date.now() - days * dayMs).toISOString()
        const wanted = {
          ...{ patient: `Patient/${patient}`, category: 'vital-signs', date: `ge${from}`, _sort: '-date' },
          _include: 'Observation:device',
        }
        return searchFhir<Observation>('Observation', wanted, { signal, most: mostVitals })
      },
      // A reading tells of itself by no fact: it is read again while somebody looks.
      refetchInterval: viewsMs,
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
      refetchInterval: viewsMs,
    }),
}
