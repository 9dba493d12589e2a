/** What the patient wears and wore, with since when and until when. */

import { Text } from '@mantine/core'
import type { DeviceUseStatement, Reference, Resource } from '@medplum/fhirtypes'
import { useQuery } from '@tanstack/react-query'
import { recordQueries } from '../../api/record-queries.ts'
import { useNow } from '../../app/clock.ts'
import { Failed, Loading } from '../../parts/page-state.tsx'
import rows from '../../parts/rows.module.css'
import { Section } from '../../parts/section.tsx'
import { momentText } from '../../parts/words.ts'
import { AsFhirButton } from './as-fhir-button.tsx'
import type { Show } from './resource-dialog.tsx'

export function DevicesPart({ patient, show }: { patient: string; show: Show }) {
  const read = useQuery(recordQueries.devices(patient))
  const uses = read.data?.resources.toSorted((a, b) => startOf(b) - startOf(a)) ?? []
  return (
    <Section title="Devices">
      {read.isPending ? <Loading rows={1} /> : null}
      {read.data === undefined && read.isError ? (
        <Failed what="The devices could not be read" error={read.error} onRetry={() => void read.refetch()} />
      ) : null}
      {read.data !== undefined && uses.length === 0 ? <Text c="dimmed">Never wore a device.</Text> : null}
      <ul className={rows.rows} hidden={uses.length === 0}>
        {uses.map((use) => (
          <Use key={use.id} use={use} name={nameOf(use, read.data?.included)} show={show} />
        ))}
      </ul>
    </Section>
  )
}

const startOf = ({ timingPeriod }: DeviceUseStatement): number => Date.parse(timingPeriod?.start ?? '') || 0

export function nameOf(
  { device }: { readonly device?: Reference },
  included: ReadonlyMap<string, Resource> | undefined,
) {
  const found = included?.get(device?.reference ?? '')
  const name = found?.resourceType === 'Device' ? found.deviceName?.[0]?.name : undefined
  return device?.display ?? name ?? 'Device'
}

function wornWords({ timingPeriod: { start, end } = {} }: DeviceUseStatement, now: number): string {
  const since = start === undefined ? '' : `since ${momentText(Date.parse(start), now)}, `
  return end === undefined ? `${since}still worn` : `${since}until ${momentText(Date.parse(end), now)}`
}

function Use({ use, name, show }: { use: DeviceUseStatement; name: string; show: Show }) {
  const now = useNow()
  return (
    <li className={rows.row}>
      <div className={rows.what}>
        {name}
        <div className={rows.soft}>{wornWords(use, now)}</div>
      </div>
      <AsFhirButton resource={use} what={name} show={show} />
    </li>
  )
}
