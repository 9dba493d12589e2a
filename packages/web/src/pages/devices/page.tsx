/** Devices: what is there, who wears it, what is connected. */
import type { DeviceView } from '@careloop/contract'
import { Table, Text } from '@mantine/core'
import { type QueryClient, useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import type { ReactNode } from 'react'
import { queries } from '../../api/queries.ts'
import { useMay } from '../../app/session.tsx'
import { Age } from '../../parts/age.tsx'
import { Page, useTitle } from '../../parts/page.tsx'
import { Empty, Failed, Loading, NotRenewed, WithRight } from '../../parts/page-state.tsx'
import { countText } from '../../parts/words.ts'

const empty = (
  <Empty title="No devices yet">
    Enrol the first one on the server:{' '}
    <code>npm run careloop -- device enroll --name cuff-1 --profile generic --token</code>
  </Empty>
)

export const loadDevices = (client: QueryClient): void => void client.prefetchQuery(queries.devices)

const columns: readonly { readonly title: string; readonly cell: (device: DeviceView) => ReactNode }[] = [
  { title: 'Name', cell: (device) => <strong>{device.name}</strong> },
  { title: 'Connection', cell: (device) => <Connection device={device} /> },
  {
    title: 'Worn by',
    cell: ({ worn }) => (worn === null ? 'nobody' : <Wearer id={worn.subject} />),
  },
  { title: 'Profile', cell: (device) => device.profile },
  { title: 'Class', cell: (device) => device.classification },
  { title: 'Says of itself', cell: (device) => <Attributes of={device.attributes} /> },
  { title: 'Enrolled', cell: (device) => <Age at={device.enrolledAt} /> },
]

export function DevicesPage() {
  useTitle('Devices')
  return (
    <WithRight resource="device" what="Devices">
      <Devices />
    </WithRight>
  )
}

function Devices() {
  const devices = useQuery(queries.devices)
  const { data, error, isPending, refetch } = devices
  const count = data === undefined ? null : countText(data.items.length, 'device')
  return (
    <Page title="Devices" beside={<Text c="dimmed">{data?.next ? `First ${count}` : count}</Text>}>
      {isPending ? <Loading /> : null}
      {error !== null && data === undefined ? (
        <Failed what="The devices could not be read" error={error} onRetry={() => void refetch()} />
      ) : null}
      {devices.isRefetchError ? (
        <NotRenewed error={devices.error} readAt={devices.dataUpdatedAt} onRetry={() => void refetch()} />
      ) : null}
      {data?.items.length === 0 ? empty : null}
      {data === undefined || data.items.length === 0 ? null : (
        <Table.ScrollContainer minWidth={640} scrollAreaProps={{ viewportProps: { tabIndex: 0 } }}>
          <Table verticalSpacing="xs" highlightOnHover>
            <Table.Thead>
              <Table.Tr>
                {columns.map(({ title }) => (
                  <Table.Th key={title}>{title}</Table.Th>
                ))}
              </Table.Tr>
            </Table.Thead>
            <Table.Tbody>
              {data.items.map((device) => (
                <Table.Tr key={device.id}>
                  {columns.map(({ title, cell }) => (
                    <Table.Td key={title}>{cell(device)}</Table.Td>
                  ))}
                </Table.Tr>
              ))}
            </Table.Tbody>
          </Table>
        </Table.ScrollContainer>
      )}
    </Page>
  )
}

/** All names of the list are asked for at once, by the first row that needs one. Who may not see patients sees no name. */
function Wearer({ id }: { id: string }) {
  const worn = useQuery(queries.devices).data?.items.flatMap((device) =>
    device.worn === null ? [] : [device.worn.subject],
  )
  const ids = [...new Set(worn)].sort()
  const enabled = useMay('read', 'subject') && ids.length > 0
  const names = useQuery({ ...queries.subjectNames(ids), enabled })
  const name = names.data?.get(id)
  if (name === undefined) return names.isFetching ? '…' : 'a person you may not see'
  return (
    <Link to="/subjects/$id" params={{ id }} style={{ color: 'var(--mantine-color-anchor)' }}>
      {name}
    </Link>
  )
}

/** MQTT devices are connected or not; those that post by HTTP never are, and that is no fault. */
function Connection({ device }: { device: DeviceView }) {
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

function Attributes({ of }: { of: DeviceView['attributes'] }) {
  const words = Object.entries(of).map(([name, value]) => `${name} ${value}`)
  return words.length === 0 ? <span>nothing yet</span> : <span>{words.join(', ')}</span>
}
