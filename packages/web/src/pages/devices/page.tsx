/** Devices: what is there, who wears it, what is connected, when each was last heard. */
import type { DeviceView } from '@careloop/contract'
import { Button, NativeSelect, Text, TextInput } from '@mantine/core'
import { type QueryClient, useQuery } from '@tanstack/react-query'
import { Link, useNavigate, useSearch } from '@tanstack/react-router'
import { useRef, useState } from 'react'
import { careQueries } from '../../api/care-queries.ts'
import { queries } from '../../api/queries.ts'
import { useNow } from '../../app/clock.ts'
import { useMay } from '../../app/session.tsx'
import { useKeys } from '../../app/use-keys.ts'
import { Age } from '../../parts/age.tsx'
import { type Column, LongTable } from '../../parts/long-table.tsx'
import { Page, useTitle } from '../../parts/page.tsx'
import { Empty, Failed, Loading, NotRenewed, WithRight } from '../../parts/page-state.tsx'
import rows from '../../parts/rows.module.css'
import { useWhyNot } from '../../parts/why-not.ts'
import { countText } from '../../parts/words.ts'
import classes from './devices.module.css'
import { EnrolDeviceDialog } from './enrol-device-dialog.tsx'
import { batteryOf, type DeviceState, deviceStates, lowPercent, shownDevices, stateWords } from './shown-devices.ts'

const empty = (
  <Empty title="No devices yet">
    Enrol the first one here: give it a name, choose its profile, and its own page leads to the first reading.
  </Empty>
)

export interface DevicesSearch {
  readonly state?: DeviceState
  readonly panel?: string
}

export const loadDevices = (client: QueryClient): void => void client.prefetchQuery(careQueries.allDevices)

const columns: readonly Column<DeviceView>[] = [
  {
    title: 'Name',
    cell: ({ id, name }) => (
      <Link to="/devices/$id" params={{ id }} className={classes.name!}>
        {name}
      </Link>
    ),
  },
  { title: 'Connection', cell: (device) => <Connection device={device} /> },
  { title: 'Last heard', cell: ({ id }) => <Heard device={id} /> },
  {
    title: 'Worn by',
    cell: ({ worn, wornUnseen }) =>
      worn !== null ? <Wearer id={worn.subject} /> : wornUnseen ? unseenWearer : 'nobody',
  },
  { title: 'Battery', cell: (device) => <Battery device={device} /> },
  { title: 'Profile', cell: (device) => device.profile },
  { title: 'Class', cell: (device) => device.classification },
  { title: 'Enrolled', cell: (device) => <Age at={device.enrolledAt} /> },
]

const unseenWearer = 'somebody you do not see'

export function DevicesPage() {
  useTitle('Devices')
  return (
    <WithRight resource="device" what="Devices">
      <Devices />
    </WithRight>
  )
}

function Devices() {
  const { panel, ...search } = useSearch({ from: '/staff/devices' })
  const navigate = useNavigate({ from: '/devices' })
  const devices = useQuery(careQueries.allDevices)
  const heard = useQuery(careQueries.heard()).data ?? noneHeard
  const why = useWhyNot('create', 'device')
  const now = useNow()
  const { data, error, isPending, refetch } = devices
  // Not in the address: a serial number tells whose device it is, and addresses are kept in histories and logs.
  const [text, setText] = useState('')
  const shown = shownDevices(data?.items ?? [], heard, { text, state: search.state }, now)
  return (
    <Page
      title="Devices"
      beside={
        <Button
          mih={44}
          disabled={why !== null}
          title={why ?? undefined}
          onClick={() => void navigate({ search: (before) => ({ ...before, panel: 'enrol' }) })}
        >
          Enrol a device
        </Button>
      }
    >
      {data === undefined || data.items.length === 0 ? null : (
        <Filters text={text} onText={setText} shown={shown.length} total={data.items.length} isCut={data.isCut} />
      )}
      {isPending ? <Loading /> : null}
      {error !== null && data === undefined ? (
        <Failed what="The devices could not be read" error={error} onRetry={() => void refetch()} />
      ) : null}
      {devices.isRefetchError ? (
        <NotRenewed error={devices.error} readAt={devices.dataUpdatedAt} onRetry={() => void refetch()} />
      ) : null}
      {data?.items.length === 0 ? empty : null}
      {data !== undefined && data.items.length > 0 && shown.length === 0 ? (
        <Text>None fits. Take away a word or choose all states.</Text>
      ) : null}
      {shown.length === 0 ? null : <LongTable columns={columns} rows={shown} keyOf={({ id }) => id} minWidth={720} />}
      {panel === 'enrol' && why === null ? (
        <EnrolDeviceDialog onClose={() => void navigate({ search: ({ panel: _panel, ...before }) => before })} />
      ) : null}
    </Page>
  )
}

const noneHeard: ReadonlyMap<string, number> = new Map()

interface FiltersProps {
  /** Words that must stand in name, profile, serial number or maker. */
  readonly text: string
  readonly onText: (text: string) => void
  readonly shown: number
  readonly total: number
  readonly isCut: boolean
}

function Filters({ text, onText, shown, total, isCut }: FiltersProps) {
  const { state } = useSearch({ from: '/staff/devices' })
  const navigate = useNavigate({ from: '/devices' })
  const field = useRef<HTMLInputElement>(null)
  useKeys({ '/': () => field.current?.focus() })
  const setState = (next: DeviceState | undefined) =>
    void navigate({ search: next === undefined ? {} : { state: next }, replace: true })
  return (
    <div className={classes.filters}>
      <TextInput
        ref={field}
        aria-label="Filter by name, profile, serial number or maker"
        placeholder="Filter  ( / )"
        value={text}
        onChange={(event) => onText(event.currentTarget.value)}
      />
      <NativeSelect
        aria-label="State"
        value={state ?? ''}
        data={[
          { value: '', label: 'All states' },
          ...deviceStates.map((each) => ({ value: each, label: stateWords[each] })),
        ]}
        onChange={(event) => setState(deviceStates.find((each) => each === event.currentTarget.value))}
      />
      <Text c="dimmed" role="status">
        {shown === total ? countText(total, 'device') : `${shown} of ${countText(total, 'device')}`}
        {isCut ? ', more are there: filter by the API' : ''}
      </Text>
    </div>
  )
}

/** All names of the list are asked for at once, by the first row that needs one. Who may not see patients sees no name. */
function Wearer({ id }: { id: string }) {
  const worn = useQuery(careQueries.allDevices).data?.items.flatMap((device) =>
    device.worn === null ? [] : [device.worn.subject],
  )
  const ids = [...new Set(worn)].sort().slice(0, 500)
  const enabled = useMay('read', 'subject') && ids.length > 0
  const names = useQuery({ ...queries.subjectNames(ids), enabled })
  const name = names.data?.get(id)
  if (name === undefined) return names.isFetching ? '…' : 'a person you may not see'
  return (
    <Link to="/subjects/$id" params={{ id }} className={rows.link!}>
      {name}
    </Link>
  )
}

function Heard({ device }: { device: string }) {
  const at = useQuery(careQueries.heard()).data?.get(device)
  return at === undefined ? 'never' : <Age at={at} />
}

/** MQTT devices are connected or not; those that post by HTTP never are, and that is no fault. */
export function Connection({ device }: { device: DeviceView }) {
  if (device.lastConnectedAt === null) return <span>never by MQTT</span>
  return device.connected ? (
    <span>
      connected, since <Age at={device.lastConnectedAt} />
    </span>
  ) : (
    <span>
      not connected, last came <Age at={device.lastConnectedAt} />
    </span>
  )
}

function Battery({ device }: { device: DeviceView }) {
  const percent = batteryOf(device)
  if (percent === undefined) return 'not told'
  return percent <= lowPercent ? <strong>{Math.round(percent)} %, low</strong> : `${Math.round(percent)} %`
}
