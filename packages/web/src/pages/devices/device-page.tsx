/** One device: step by step to its first reading, seen as it arrives; what it says, who wore it, what was set aside. */
import type { DeviceView } from '@careloop/contract'
import { Text } from '@mantine/core'
import { type QueryClient, useQuery } from '@tanstack/react-query'
import { Link, useParams } from '@tanstack/react-router'
import { careQueries } from '../../api/care-queries.ts'
import { useMay } from '../../app/session.tsx'
import { Age } from '../../parts/age.tsx'
import { Page, useTitle } from '../../parts/page.tsx'
import { Failed, Loading, NotRenewed, WithRight } from '../../parts/page-state.tsx'
import rows from '../../parts/rows.module.css'
import { Section } from '../../parts/section.tsx'
import { bytesText, countText } from '../../parts/words.ts'
import { reasonWords } from '../quarantine/page.tsx'
import { ClaimCodePart } from './claim-code.tsx'
import { CredentialsPart, useShownSecret } from './credentials.tsx'
import classes from './devices.module.css'
import { FirstReading } from './first-reading.tsx'
import { Connection } from './page.tsx'
import { Wearers } from './wearers.tsx'

export interface DeviceSearch {
  /** `wear`: the dialog that puts it on somebody. */
  readonly panel?: string
}

export const loadDevice = (client: QueryClient, id: string): void => void client.prefetchQuery(careQueries.device(id))

export function DevicePage() {
  useTitle('Device')
  return (
    <WithRight resource="device" what="Device">
      <Device />
    </WithRight>
  )
}

function Device() {
  const { id } = useParams({ from: '/staff/devices/$id' })
  const heard = useQuery(careQueries.heard(id))
  const device = useQuery(careQueries.device(id, heard.data?.has(id) !== true))
  if (device.isPending) return <Loading />
  if (device.data === undefined)
    return <Failed what="This device could not be read" error={device.error} onRetry={() => void device.refetch()} />
  return (
    <Page
      title={device.data.name}
      beside={
        <Text c="dimmed">
          {device.data.classification}, profile {device.data.profile}
        </Text>
      }
    >
      {device.isRefetchError ? (
        <NotRenewed error={device.error} readAt={device.dataUpdatedAt} onRetry={() => void device.refetch()} />
      ) : null}
      <Parts key={id} device={device.data} heardAt={heard.data?.get(id)} />
    </Page>
  )
}

function Parts({ device, heardAt }: { device: DeviceView; heardAt: number | undefined }) {
  const secret = useShownSecret()
  const mayQuarantine = useMay('read', 'quarantine')
  const held = useQuery({ ...careQueries.quarantineOf(device.id, heardAt === undefined), enabled: mayQuarantine })
  return (
    <>
      <FirstReading device={device} heardAt={heardAt} held={held.data?.items ?? []} secret={secret} />
      <HeldBack held={held.data?.items ?? []} />
      <Section title="What it says of itself">
        <Facts device={device} heardAt={heardAt} />
      </Section>
      <CredentialsPart device={device} secret={secret} />
      <ClaimCodePart device={device} />
      <Wearers device={device} />
    </>
  )
}

interface Held {
  readonly id: string
  readonly reason: keyof typeof reasonWords
  readonly message: string
  readonly pointer: string
  readonly receivedAt: number
  readonly bytes: number
  readonly door: string
}

/** What it sent and could not be taken in, with why: nothing is dropped in silence. */
function HeldBack({ held }: { held: readonly Held[] }) {
  if (held.length === 0) return null
  return (
    <Section title="In quarantine" beside={<Text c="dimmed">{countText(held.length, 'message')} held back</Text>}>
      <ul className={rows.rows}>
        {held.map(({ id, reason, message, pointer, receivedAt, bytes, door }) => (
          <li key={id} className={rows.row}>
            <div className={rows.what}>
              <strong>{reasonWords[reason]}</strong>: {message}
              <div className={rows.soft}>
                <Age at={receivedAt} /> by {door}, {bytesText(bytes)}
                {pointer === '' ? '' : `, at ${pointer}`}
              </div>
            </div>
            <Link to="/quarantine" search={{ frame: id }} className={rows.link!}>
              Look at it
            </Link>
          </li>
        ))}
      </ul>
    </Section>
  )
}

function Facts({ device, heardAt }: { device: DeviceView; heardAt: number | undefined }) {
  const { serial, manufacturer, model, attributes, enrolledAt } = device
  const made = [manufacturer, model].filter((each) => each !== null).join(' ')
  return (
    <dl className={classes.facts}>
      <dt>Connection</dt>
      <dd>
        <Connection device={device} />
      </dd>
      <dt>Last heard</dt>
      <dd>{heardAt === undefined ? 'never' : <Age at={heardAt} />}</dd>
      {made === '' ? null : (
        <>
          <dt>Made</dt>
          <dd>{made}</dd>
        </>
      )}
      {serial === null ? null : (
        <>
          <dt>Serial number</dt>
          <dd>{serial}</dd>
        </>
      )}
      {Object.entries(attributes).map(([name, value]) => (
        <Fact key={name} name={name} value={String(value)} />
      ))}
      <dt>Enrolled</dt>
      <dd>
        <Age at={enrolledAt} />
      </dd>
    </dl>
  )
}

function Fact({ name, value }: { name: string; value: string }) {
  return (
    <>
      <dt>{name}</dt>
      <dd>{value}</dd>
    </>
  )
}
