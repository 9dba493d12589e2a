/** Who the patient is: names, identifiers, how to reach them. */

import { Text } from '@mantine/core'
import type { Address, ContactPoint, HumanName, Identifier, Patient } from '@medplum/fhirtypes'
import { useQuery } from '@tanstack/react-query'
import { recordQueries } from '../../api/record-queries.ts'
import { Failed, Loading } from '../../parts/page-state.tsx'
import { Section } from '../../parts/section.tsx'
import { AsFhirButton } from './as-fhir-button.tsx'
import classes from './record.module.css'
import type { Show } from './resource-dialog.tsx'

export function PersonPart({ patient, show }: { patient: string; show: Show }) {
  const read = useQuery(recordQueries.patient(patient))
  return (
    <Section
      title="Person"
      beside={read.data === undefined ? null : <AsFhirButton resource={read.data} what="This patient" show={show} />}
    >
      {read.isPending ? <Loading rows={3} /> : null}
      {read.data === undefined && read.isError ? (
        <Failed what="The person could not be read" error={read.error} onRetry={() => void read.refetch()} />
      ) : null}
      {read.data === undefined ? null : <Facts patient={read.data} />}
    </Section>
  )
}

function Facts({ patient }: { patient: Patient }) {
  const facts = factsOf(patient)
  if (facts.length === 0) return <Text c="dimmed">Nothing but an id is known.</Text>
  return (
    <dl className={classes.facts}>
      {facts.map(([name, values]) => (
        <Fact key={name} name={name} values={values} />
      ))}
    </dl>
  )
}

const Fact = ({ name, values }: { name: string; values: readonly string[] }) => (
  <>
    <dt>{name}</dt>
    <dd>
      {values.map((value) => (
        <div key={value}>{value}</div>
      ))}
    </dd>
  </>
)

function factsOf(patient: Patient): [string, string[]][] {
  const { name = [], identifier = [], telecom = [], address = [], communication = [] } = patient
  const deceased = patient.deceasedDateTime ?? (patient.deceasedBoolean === true ? 'yes' : undefined)
  const all: [string, (string | undefined)[]][] = [
    ['Name', name.map(nameText)],
    ['Born', [patient.birthDate]],
    ['Died', [deceased]],
    ['Gender', [patient.gender]],
    ['Identifiers', identifier.map(identifierText)],
    ['Contact', telecom.map(telecomText)],
    ['Address', address.map(addressText)],
    [
      'Languages',
      communication.map(({ language }) => language.text ?? language.coding?.[0]?.display ?? language.coding?.[0]?.code),
    ],
  ]
  return all.flatMap(([label, values]): [string, string[]][] => {
    const said = [...new Set(values.filter((value) => value !== undefined && value !== ''))] as string[]
    return said.length === 0 ? [] : [[label, said]]
  })
}

export const nameText = ({ text, family, given = [], use }: HumanName): string => {
  const name = text ?? [given.join(' '), family].filter((part) => part !== undefined && part !== '').join(' ')
  return use === undefined || use === 'official' || use === 'usual' || name === '' ? name : `${name} (${use})`
}

function identifierText({ type, system, value, use }: Identifier): string | undefined {
  if (value === undefined) return undefined
  const kind = type?.text ?? type?.coding?.[0]?.display ?? type?.coding?.[0]?.code ?? system ?? 'without a system'
  return `${value} (${kind}${use === 'old' ? ', no longer used' : ''})`
}

const telecomText = ({ system, value, use }: ContactPoint): string | undefined =>
  value === undefined
    ? undefined
    : `${value}${[system, use].some(Boolean) ? ` (${[system, use].filter(Boolean).join(', ')})` : ''}`

const addressText = ({ text, line = [], postalCode, city, state, country }: Address): string =>
  text ?? [...line, [postalCode, city].filter(Boolean).join(' '), state, country].filter(Boolean).join(', ')
