/** Enrols a device: its name in topics, what it is, how its messages are read; then its own page leads to the first reading. */
import type { DeviceClassification, NewDeviceInput, ProfileList } from '@careloop/contract'
import { NativeSelect, TextInput } from '@mantine/core'
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { useNavigate } from '@tanstack/react-router'
import { useState } from 'react'
import { careQueries } from '../../api/care-queries.ts'
import { call } from '../../api/client.ts'
import { endpoints } from '../../api/endpoints.ts'
import { useMay } from '../../app/session.tsx'
import { Dialog } from '../../parts/dialog.tsx'
import { FormFoot, Refusal, refusalAt } from '../../parts/refusal.tsx'
import { useOffline } from '../../parts/why-not.ts'

export function EnrolDeviceDialog({ onClose }: { onClose: () => void }) {
  return (
    <Dialog opened title="Enrol a device" size="lg" onClose={onClose}>
      <Form onClose={onClose} />
    </Dialog>
  )
}

const classWords: Readonly<Record<DeviceClassification, string>> = {
  wellness: 'Wellness: no medical claim',
  operational: 'Operational: of places and things',
  medical: 'Medical device',
  'cyber-device': 'Medical device with software that is kept secure (524B)',
}

/** As the server takes names; whether one is taken only the server knows. */
const namePattern = /^[A-Za-z0-9._-]{1,64}$/

interface Draft {
  readonly name: string
  readonly profile: string
  readonly classification: DeviceClassification | ''
  readonly serial: string
  readonly gateway: string
}

function Form({ onClose }: { onClose: () => void }) {
  const [draft, setDraft] = useState<Draft>({
    name: '',
    profile: 'generic',
    classification: '',
    serial: '',
    gateway: '',
  })
  const [isChecked, setChecked] = useState(false)
  const profiles = useQuery(careQueries.profiles)
  const gateways = useQuery({ ...careQueries.gateways, enabled: useMay('read', 'gateway') }).data?.items ?? []
  const offline = useOffline()
  const enrol = useEnrolled()
  const profile = profiles.data?.items.find(({ code }) => code === draft.profile)
  const classification = draft.classification === '' ? (profile?.classification ?? 'operational') : draft.classification
  const nameProblem = namePattern.test(draft.name)
    ? undefined
    : 'Use 1 to 64 letters, digits, dots, underscores and hyphens.'
  const change = (more: Partial<Draft>) => setDraft((before) => ({ ...before, ...more }))
  return (
    <form
      noValidate
      onSubmit={(event) => {
        event.preventDefault()
        setChecked(true)
        if (nameProblem !== undefined) return
        const { name, profile, serial, gateway } = draft
        enrol.mutate({
          ...{ name, profile, classification },
          ...(serial.trim() === '' ? {} : { serial: serial.trim() }),
          ...(gateway === '' ? {} : { gateway }),
        })
      }}
    >
      <TextInput
        label="Name"
        description="Stands in topics and addresses: letters, digits, dots, hyphens. Never the name of a person."
        required
        data-autofocus
        value={draft.name}
        onChange={(event) => change({ name: event.currentTarget.value })}
        error={(isChecked ? nameProblem : undefined) ?? refusalAt(enrol.error, '/body/name')}
      />
      <NativeSelect
        mt="sm"
        label="Profile"
        description={profileWords(profile)}
        value={draft.profile}
        data={profileOptions(profiles.data)}
        onChange={(event) => change({ profile: event.currentTarget.value })}
        error={refusalAt(enrol.error, '/body/profile')}
      />
      <NativeSelect
        mt="sm"
        label="Classification"
        description="What it may do follows from this."
        value={classification}
        data={Object.entries(classWords).map(([value, label]) => ({ value, label }))}
        onChange={(event) => change({ classification: event.currentTarget.value as DeviceClassification })}
        error={refusalAt(enrol.error, '/body/classification')}
      />
      <TextInput
        mt="sm"
        label="Serial number, if it has one"
        value={draft.serial}
        onChange={(event) => change({ serial: event.currentTarget.value })}
        error={refusalAt(enrol.error, '/body/serial')}
      />
      {gateways.length === 0 ? null : (
        <NativeSelect
          mt="sm"
          label="Comes through the gateway"
          value={draft.gateway}
          data={[
            { value: '', label: 'None: it speaks for itself' },
            ...gateways.map(({ id, name }) => ({ value: id, label: name })),
          ]}
          onChange={(event) => change({ gateway: event.currentTarget.value })}
          error={refusalAt(enrol.error, '/body/gateway')}
        />
      )}
      <Refusal
        error={enrol.error}
        shown={['name', 'profile', 'classification', 'serial', 'gateway'].map((each) => `/body/${each}`)}
      />
      <FormFoot label="Enrol" isPending={enrol.isPending} onCancel={onClose} why={offline} />
    </form>
  )
}

const profileOptions = (profiles: ProfileList | undefined) =>
  profiles?.items.map(({ code, name, manufacturer }) => ({
    value: code,
    label: manufacturer === undefined ? name : `${manufacturer} ${name}`,
  })) ?? [{ value: 'generic', label: 'generic' }]

function profileWords(profile: ProfileList['items'][number] | undefined): string {
  if (profile === undefined) return 'How its messages are read.'
  const few = profile.signals.slice(0, 4).map(({ signal }) => signal)
  return `Reads ${few.join(', ')}${profile.signals.length > few.length ? ' and more' : ''}.`
}

function useEnrolled() {
  const client = useQueryClient()
  const navigate = useNavigate()
  return useMutation({
    mutationFn: (body: NewDeviceInput) => call(endpoints.enrolDevice, { body }),
    async onSuccess(device) {
      await client.invalidateQueries({ queryKey: ['devices'] })
      await navigate({ to: '/devices/$id', params: { id: device.id } })
    },
  })
}
