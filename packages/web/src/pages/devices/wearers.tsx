/** Who wears a device and who wore it, with corrections; putting it on and taking it off. */
import type { DeviceView } from '@careloop/contract'
import { Button, Text } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { Link, useNavigate, useSearch } from '@tanstack/react-router'
import { useState } from 'react'
import { careQueries } from '../../api/care-queries.ts'
import { call } from '../../api/client.ts'
import { endpoints } from '../../api/endpoints.ts'
import { queries } from '../../api/queries.ts'
import { useNow } from '../../app/clock.ts'
import { useMay } from '../../app/session.tsx'
import { Dialog } from '../../parts/dialog.tsx'
import { Failed, Loading } from '../../parts/page-state.tsx'
import { FormFoot, Refusal } from '../../parts/refusal.tsx'
import rows from '../../parts/rows.module.css'
import { Section } from '../../parts/section.tsx'
import { useOffline, useWhyNot } from '../../parts/why-not.ts'
import { countText, momentText } from '../../parts/words.ts'
import { SubjectPicker } from '../subjects/subject-picker.tsx'
import { isWorn } from './shown-devices.ts'
import { TakeOffDialog, useMoved } from './take-off.tsx'

const worn = { bySomebodyElse: 'Somebody wears it whom you do not see. Ask their care team to take it off.' }

export function Wearers({ device }: { device: DeviceView }) {
  const { panel } = useSearch({ from: '/staff/devices/$id' })
  const navigate = useNavigate({ from: '/devices/$id' })
  const mayRead = useMay('read', 'assignment')
  const whyOn = useWhyNot('create', 'assignment')
  const whyOff = useWhyNot('update', 'assignment')
  const close = () => void navigate({ search: {} })
  const isOn = device.worn !== null
  const why = device.wornUnseen ? worn.bySomebodyElse : isOn ? whyOff : whyOn
  const act = (
    <Button
      variant="default"
      mih={44}
      disabled={why !== null}
      title={why ?? undefined}
      onClick={() => void navigate({ search: { panel: isOn ? 'off' : 'wear' } })}
    >
      {isWorn(device) ? 'Take it off' : 'Put it on'}
    </Button>
  )
  return (
    <Section title="Worn by" beside={act}>
      {mayRead ? <History device={device.id} /> : null}
      {panel === 'wear' && !isWorn(device) && whyOn === null ? <WearDialog device={device} onClose={close} /> : null}
      {panel === 'off' && isOn && whyOff === null ? <TakeOffDialog device={device} onClose={close} /> : null}
    </Section>
  )
}

function History({ device }: { device: string }) {
  const history = useQuery(careQueries.assignments(device))
  const now = useNow()
  const ids = [...new Set(history.data?.spans.map(({ subject }) => subject))].sort()
  const names = useQuery({ ...queries.subjectNames(ids), enabled: useMay('read', 'subject') && ids.length > 0 })
  if (history.isPending) return <Loading rows={1} />
  if (history.data === undefined)
    return <Failed what="The history could not be read" error={history.error} onRetry={() => void history.refetch()} />
  const { spans, superseded } = history.data
  const nameOf = (subject: string) => names.data?.get(subject)
  return (
    <>
      {spans.length === 0 ? <Text c="dimmed">Nobody wore it yet.</Text> : null}
      <ul className={rows.rows} hidden={spans.length === 0}>
        {spans.toReversed().map(({ id, subject, from, to }) => (
          <li key={id} className={rows.row}>
            <div className={rows.what}>
              {nameOf(subject) === undefined ? (
                'a person you may not see'
              ) : (
                <Link to="/subjects/$id" params={{ id: subject }} className={rows.link!}>
                  {nameOf(subject)}
                </Link>
              )}
            </div>
            <span className={rows.soft}>
              {momentText(from, now)} to {to === null ? 'now' : momentText(to, now)}
            </span>
          </li>
        ))}
      </ul>
      {superseded.length === 0 ? null : (
        <details>
          <summary>{countText(superseded.length, 'entry was', 'entries were')} corrected</summary>
          <ul className={rows.rows}>
            {superseded.map(({ id, subject, from, to, supersededAt, reason }) => (
              <li key={`${id}/${supersededAt}`} className={rows.row}>
                {nameOf(subject) ?? 'a person you may not see'}, {momentText(from, now)} to{' '}
                {to === null ? 'open' : momentText(to, now)}: corrected {momentText(supersededAt, now)}
                {reason === null ? '' : `, ${reason}`}
              </li>
            ))}
          </ul>
        </details>
      )}
    </>
  )
}

function WearDialog({ device, onClose }: { device: DeviceView; onClose: () => void }) {
  const [subject, setSubject] = useState('')
  const [isChecked, setChecked] = useState(false)
  const offline = useOffline()
  const put = useMoved(onClose, () => call(endpoints.assign, { params: { id: device.id }, body: { subject } }))
  return (
    <Dialog opened title={`Put ${device.name} on`} onClose={onClose}>
      <form
        noValidate
        onSubmit={(event) => {
          event.preventDefault()
          setChecked(true)
          if (subject !== '') put.mutate()
        }}
      >
        <SubjectPicker
          value={subject}
          onChange={setSubject}
          error={isChecked && subject === '' ? 'Choose who or what wears it.' : undefined}
        />
        <Refusal error={put.error} />
        <FormFoot label="Put on" isPending={put.isPending} onCancel={onClose} why={offline} />
      </form>
    </Dialog>
  )
}
