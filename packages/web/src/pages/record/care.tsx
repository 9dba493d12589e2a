/** Who cares for the patient: programs with their owner, care teams, relatives who were let in. */

import { Text } from '@mantine/core'
import type { CarePlan, CareTeam, RelatedPerson } from '@medplum/fhirtypes'
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

export function CarePart({ patient, show }: { patient: string; show: Show }) {
  const read = useQuery(recordQueries.care(patient))
  return (
    <Section title="Care">
      {read.isPending ? <Loading rows={2} /> : null}
      {read.data === undefined && read.isError ? (
        <Failed what="Who cares could not be read" error={read.error} onRetry={() => void read.refetch()} />
      ) : null}
      {read.data === undefined ? null : (
        <Lines
          lines={[
            ...read.data.plans.map(planLine),
            ...read.data.teams.map(teamLine),
            ...read.data.people.map(personLine),
          ]}
          show={show}
        />
      )}
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

const planLine = (plan: CarePlan): Line => ({
  resource: plan,
  what: plan.title ?? plan.description ?? 'Program',
  more: [
    plan.status,
    plan.author?.display ?? plan.contributor?.[0]?.display,
    plan.period?.start === undefined ? undefined : `since ${plan.period.start.slice(0, 10)}`,
    plan.period?.end === undefined ? undefined : `until ${plan.period.end.slice(0, 10)}`,
  ]
    .filter(Boolean)
    .join(', '),
})

const teamLine = (team: CareTeam): Line => ({
  resource: team,
  what: team.name ?? 'Care team',
  more: (team.participant ?? []).flatMap(({ member }) => member?.display ?? []).join(', ') || 'care team',
})

const personLine = (person: RelatedPerson): Line => ({
  resource: person,
  what: person.name?.map(nameText).join(', ') ?? 'Relative',
  more: person.relationship?.map(({ text, coding }) => text ?? coding?.[0]?.display ?? '').join(', ') || 'was let in',
})
