/** Who cares for the patient: programs with their owner, care teams, relatives who were let in. */

import { Text } from '@mantine/core'
import type { CarePlan, CareTeam, HumanName, Reference, RelatedPerson } from '@medplum/fhirtypes'
import { useQuery } from '@tanstack/react-query'
import { recordQueries } from '../../api/record-queries.ts'
import { Failed, Loading } from '../../parts/page-state.tsx'
import rows from '../../parts/rows.module.css'
import { Section } from '../../parts/section.tsx'
import { AsFhirButton } from './as-fhir-button.tsx'
import { nameText } from './person.tsx'
import type { Show } from './resource-dialog.tsx'

interface Line {
  readonly resource: CarePlan | CareTeam | RelatedPerson
  readonly what: string
  readonly more: string
}

export function CarePart({ patient, team, show }: { patient: string; team: string | null; show: Show }) {
  const read = useQuery(recordQueries.care(patient, team))
  return (
    <Section title="Care">
      {read.isPending ? <Loading rows={2} /> : null}
      {read.data === undefined && read.isError ? (
        <Failed what="Who cares could not be read" error={read.error} onRetry={() => void read.refetch()} />
      ) : null}
      {read.data === undefined ? null : <Lines lines={linesOf(read.data)} show={show} />}
    </Section>
  )
}

function Lines({ lines, show }: { lines: readonly Line[]; show: Show }) {
  if (lines.length === 0)
    return <Text c="dimmed">In no program and no care team. Enrol the patient, so that somebody answers for them.</Text>
  return (
    <ul className={rows.rows}>
      {lines.map(({ resource, what, more }) => (
        <li key={`${resource.resourceType}/${resource.id}`} className={rows.row}>
          <div className={rows.what}>
            {what}
            <div className={rows.soft}>{more}</div>
          </div>
          <AsFhirButton resource={resource} what={what} show={show} />
        </li>
      ))}
    </ul>
  )
}

interface Care {
  readonly plans: readonly CarePlan[]
  readonly teams: readonly CareTeam[]
  readonly people: readonly RelatedPerson[]
  /** Names by reference. */
  readonly staff: ReadonlyMap<string, HumanName | undefined>
  /** Titles by canonical. */
  readonly programs: ReadonlyMap<string | undefined, string | undefined>
}

function linesOf({ plans, teams, people, staff, programs }: Care): Line[] {
  const nameOf = (reference: Reference | undefined): string | undefined => {
    const name = staff.get(reference?.reference ?? '')
    return reference?.display ?? (name === undefined ? undefined : nameText(name))
  }
  return [
    ...plans.map((plan): Line => {
      const [canonical] = plan.instantiatesCanonical ?? []
      return {
        resource: plan,
        what: plan.title ?? programs.get(canonical) ?? canonical?.split(':').at(-1) ?? 'Program',
        more: planWords(plan, (plan.contributor ?? []).map(nameOf)),
      }
    }),
    ...teams.map((team) => ({
      resource: team,
      what: team.name ?? 'Care team',
      more: (team.participant ?? []).flatMap(({ member }) => nameOf(member) ?? []).join(', ') || 'without members',
    })),
    ...people.map((person) => ({
      resource: person,
      what: person.name?.map(nameText).join(', ') ?? 'Relative',
      more:
        person.relationship?.map(({ text, coding }) => text ?? coding?.[0]?.display ?? '').join(', ') || 'was let in',
    })),
  ]
}

const planWords = ({ status, period }: CarePlan, people: readonly (string | undefined)[]): string =>
  [
    status,
    ...people,
    period?.start === undefined ? undefined : `since ${period.start.slice(0, 10)}`,
    period?.end === undefined ? undefined : `until ${period.end.slice(0, 10)}`,
  ]
    .filter((word) => word !== undefined && word !== '')
    .join(', ')
