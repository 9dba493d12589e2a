/** Devices that a subject wears: put on, taken off; how each is. */
import type { DeviceView } from '@careloop/contract'
import { Button, NativeSelect, Text } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { useState } from 'react'
import { careQueries } from '../../api/care-queries.ts'
import { call } from '../../api/client.ts'
import { endpoints } from '../../api/endpoints.ts'
import { useMay } from '../../app/session.tsx'
import { Age } from '../../parts/age.tsx'
import { Dialog } from '../../parts/dialog.tsx'
import { Failed, Loading } from '../../parts/page-state.tsx'
import { FormFoot, Refusal, refusalAt } from '../../parts/refusal.tsx'
import rows from '../../parts/rows.module.css'
import { Section } from '../../parts/section.tsx'
import { useOffline, useWhyNot } from '../../parts/why-not.ts'
import { countText } from '../../parts/words.ts'
import { TakeOffDialog, useMoved } from '../devices/take-off.tsx'
import { usePanel } from './use-panel.ts'

export function WornPanel({ subject }: { subject: string }) {
  const mayRead = useMay('read', 'device')
  const list = useQuery({ ...careQueries.devicesOf(subject), enabled: mayRead })
  const whyNotOn = useWhyNot('create', 'assignment')
  const { panel = '', open, close } = usePanel()
  if (!mayRead) return null
  const devices = list.data?.items ?? []
  const off = devices.find(({ id }) => panel === `off:${id}`)
  const put = (
    <Button
      variant="default"
      mih={44}
      disabled={whyNotOn !== null}
      title={whyNotOn ?? undefined}
      onClick={() => open('put-on')}
    >
      Put a device on
    </Button>
  )
  return (
    <Section title="Devices" beside={put}>
      {list.isPending ? <Loading rows={1} /> : null}
      {list.data === undefined && list.isError ? (
        <Failed what="The devices could not be read" error={list.error} onRetry={() => void list.refetch()} />
      ) : null}
      {list.data !== undefined && devices.length === 0 ? (
        <Text c="dimmed">Wears no device: readings come only when one is put on, or when somebody types them.</Text>
      ) : null}
      <ul className={rows.rows} hidden={devices.length === 0}>
        {devices.map((device) => (
          <WornRow key={device.id} device={device} onOff={() => open(`off:${device.id}`)} />
        ))}
      </ul>
      {panel === 'put-on' && whyNotOn === null ? <PutOnDialog subject={subject} onClose={close} /> : null}
      {off === undefined ? null : <TakeOffDialog device={off} onClose={close} />}
    </Section>
  )
}

function WornRow({ device, onOff }: { device: DeviceView; onOff: () => void }) {
  const why = useWhyNot('update', 'assignment')
  return (
    <li className={rows.row}>
      <div className={rows.what}>
        <Link to="/devices/$id" params={{ id: device.id }} className={rows.link!}>
          {device.name}
        </Link>
        <div className={rows.soft}>
          worn since {device.worn === null ? '' : <Age at={device.worn.from} />},{' '}
          {device.lastConnectedAt === null
            ? 'never connected by MQTT'
            : device.connected
              ? 'connected'
              : 'not connected'}
        </div>
      </div>
      {why === null ? (
        <Button variant="subtle" mih={44} aria-label={`Take off ${device.name}`} onClick={onOff}>
          Take off
        </Button>
      ) : null}
    </li>
  )
}

function PutOnDialog({ subject, onClose }: { subject: string; onClose: () => void }) {
  const list = useQuery(careQueries.allDevices)
  const [device, setDevice] = useState('')
  const [isChecked, setChecked] = useState(false)
  const offline = useOffline()
  const put = useMoved(onClose, () => call(endpoints.assign, { params: { id: device }, body: { subject } }))
  const free = list.data?.items.filter(({ worn }) => worn === null) ?? []
  const taken = (list.data?.items.length ?? 0) - free.length
  if (list.data !== undefined && free.length === 0)
    return (
      <Dialog opened title="Put a device on" onClose={onClose}>
        <Text>
          No device is free.{' '}
          {taken === 0 ? 'None is enrolled yet.' : `${countText(taken, 'device is', 'devices are')} on somebody else.`}{' '}
          <Link to="/devices" className={rows.link!}>
            To the devices
          </Link>
        </Text>
      </Dialog>
    )
  return (
    <Dialog opened title="Put a device on" onClose={onClose}>
      <form
        noValidate
        onSubmit={(event) => {
          event.preventDefault()
          setChecked(true)
          if (device !== '') put.mutate()
        }}
      >
        <NativeSelect
          label="Device"
          description={`Those that nobody wears. ${taken > 0 ? `${countText(taken, 'other is', 'others are')} on somebody else: take it off there first.` : ''}`}
          required
          value={device}
          onChange={(event) => setDevice(event.currentTarget.value)}
          data={[
            { value: '', label: list.isPending ? 'Reading the devices …' : 'Choose a device' },
            ...free.map(({ id, name, profile }) => ({ value: id, label: `${name} (${profile})` })),
          ]}
          error={(isChecked && device === '' ? 'Choose a device.' : undefined) ?? refusalAt(put.error, '/body/subject')}
        />
        <Text mt="sm" c="dimmed">
          What it measures from now on belongs to this subject. Look that it is the right one: name and birth date.
        </Text>
        <Refusal error={put.error} shown={['/body/subject']} />
        <FormFoot label="Put on" isPending={put.isPending} onCancel={onClose} why={offline} />
      </form>
    </Dialog>
  )
}
