/** The CapabilityStatement as a table: each type with what can be done and by what it is found. */

import { Text, TextInput } from '@mantine/core'
import type { CapabilityStatement, CapabilityStatementRestResource } from '@medplum/fhirtypes'
import { useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { developerQueries } from '../../api/developer-queries.ts'
import { type Column, LongTable } from '../../parts/long-table.tsx'
import { Empty, Failed, Loading } from '../../parts/page-state.tsx'
import { countText } from '../../parts/words.ts'
import classes from './developers.module.css'

const columns: Column<CapabilityStatementRestResource>[] = [
  { title: 'Type', cell: ({ type }) => <strong>{type}</strong> },
  { title: 'Interactions', cell: ({ interaction = [] }) => interaction.map(({ code }) => code).join(', ') },
  {
    title: 'Search parameters',
    cell: ({ searchParam = [] }) => (
      <details>
        <summary>{countText(searchParam.length, 'parameter')}</summary>
        <ul className={classes.parameters}>
          {searchParam.map(({ name, type, documentation }) => (
            <li key={name} title={documentation}>
              <code>{name}</code> <span className={classes.soft}>{type}</span>
            </li>
          ))}
        </ul>
      </details>
    ),
  },
  { title: 'Operations', cell: ({ operation = [] }) => operation.map(({ name }) => `$${name}`).join(', ') },
  {
    title: 'Profiles',
    cell: ({ supportedProfile = [] }) => supportedProfile.map((each) => each.split('/').at(-1)).join(', '),
  },
]

export function CapabilitiesPart() {
  const read = useQuery(developerQueries.capabilities)
  if (read.isPending) return <Loading />
  if (read.data === undefined)
    return (
      <Failed what="The CapabilityStatement could not be read" error={read.error} onRetry={() => void read.refetch()} />
    )
  return <Statement statement={read.data} />
}

function Statement({ statement }: { statement: CapabilityStatement }) {
  const [filter, setFilter] = useState('')
  const [rest] = statement.rest ?? []
  const word = filter.trim().toLowerCase()
  const types = (rest?.resource ?? []).filter(
    ({ type, searchParam = [] }) =>
      type?.toLowerCase().includes(word) === true || searchParam.some(({ name }) => name?.toLowerCase() === word),
  )
  return (
    <>
      <Text>
        FHIR {statement.fhirVersion}, {statement.software?.name} {statement.software?.version}. Generated from what is
        implemented; formats: {statement.format?.join(', ')}. For all types:{' '}
        {[
          ...(rest?.interaction ?? []).map(({ code }) => code),
          ...(rest?.operation ?? []).map(({ name }) => `$${name}`),
        ].join(', ')}
        .
      </Text>
      <TextInput
        label="Type or search parameter"
        placeholder="Observation, or value-quantity"
        my="sm"
        maw={320}
        value={filter}
        onChange={(event) => setFilter(event.currentTarget.value)}
      />
      {types.length === 0 ? (
        <Empty title="No type is called so">Careloop serves the types that its use needs, not all of FHIR.</Empty>
      ) : (
        <LongTable columns={columns} rows={types} keyOf={({ type }) => type ?? ''} minWidth={860} />
      )}
    </>
  )
}
