/** The CapabilityStatement to read: each type with what can be done and, opened, by what it is found and what it is held to. */

import { Text, TextInput } from '@mantine/core'
import type { CapabilityStatement, CapabilityStatementRestResource } from '@medplum/fhirtypes'
import { useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { developerQueries } from '../../api/developer-queries.ts'
import { Empty, Failed, Loading } from '../../parts/page-state.tsx'
import rows from '../../parts/rows.module.css'
import { countText } from '../../parts/words.ts'
import classes from './developers.module.css'

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
  const ofAll = [
    ...(rest?.interaction ?? []).map(({ code }) => code),
    ...(rest?.operation ?? []).map(({ name }) => `$${name}`),
  ]
  return (
    <>
      <Text>
        FHIR {statement.fhirVersion}, {statement.software?.name} {statement.software?.version}, in{' '}
        {statement.format?.join(' and ')}. Generated from what is implemented. For all types: {ofAll.join(', ')}.
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
        <ul className={rows.rows} aria-label="Types">
          {types.map((each) => (
            <TypeRow key={each.type} resource={each} />
          ))}
        </ul>
      )}
    </>
  )
}

function TypeRow({ resource }: { resource: CapabilityStatementRestResource }) {
  const { type, interaction = [], searchParam = [], operation = [], supportedProfile = [] } = resource
  return (
    <li className={rows.row}>
      <div className={rows.what}>
        <strong>{type}</strong>
        <div className={rows.soft}>{interaction.map(({ code }) => code).join(', ')}</div>
        <details>
          <summary>
            {[
              countText(searchParam.length, 'search parameter'),
              ...operation.map(({ name }) => `$${name}`),
              ...(supportedProfile.length === 0 ? [] : [countText(supportedProfile.length, 'profile')]),
            ].join(', ')}
          </summary>
          <ul className={classes.parameters}>
            {searchParam.map(({ name, type: kind, documentation }) => (
              <li key={name} title={documentation}>
                <code>{name}</code> <span className={rows.soft}>{kind}</span>
              </li>
            ))}
          </ul>
          {supportedProfile.length === 0 ? null : (
            <Text className={classes.profiles!}>{supportedProfile.join(' ')}</Text>
          )}
        </details>
      </div>
    </li>
  )
}
