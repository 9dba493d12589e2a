/** Step by step to the first reading: what is done, what is next, lines to copy; the reading appears by itself. */
import { type DeviceView, shownUnit } from '@careloop/contract'
import { Button, Text, Title } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { Link, useNavigate } from '@tanstack/react-router'
import type { ReactNode } from 'react'
import { careQueries } from '../../api/care-queries.ts'
import { queries } from '../../api/queries.ts'
import { useNow } from '../../app/clock.ts'
import { useMay } from '../../app/session.tsx'
import { Age } from '../../parts/age.tsx'
import { CopyButton } from '../../parts/copy-button.tsx'
import rows from '../../parts/rows.module.css'
import { Section } from '../../parts/section.tsx'
import { useWhyNot } from '../../parts/why-not.ts'
import { countText } from '../../parts/words.ts'
import { labelOf, valueText } from '../subject/shown-signals.ts'
import { commandsFor, samplePayload } from './commands.ts'
import { MakeCredential, type ShownSecret } from './credentials.tsx'
import classes from './devices.module.css'
import { type StepState, stepsOf, usable } from './steps.ts'

interface FirstReadingProps {
  readonly device: DeviceView
  readonly heardAt: number | undefined
  readonly held: readonly { readonly receivedAt: number }[]
  readonly secret: ShownSecret
}

export function FirstReading({ device, heardAt, held, secret }: FirstReadingProps) {
  const now = useNow()
  const mayRead = useMay('read', 'credential')
  const list = useQuery({ ...careQueries.credentials(device.id), enabled: mayRead }).data?.items
  const credentials = list === undefined ? undefined : usable(list, now)
  const steps = stepsOf({ device, credentials, heardAt, heldBack: held.length })
  const isThere = steps.reading === 'done'
  return (
    <Section title={isThere ? 'It is heard' : 'To the first reading'}>
      <ol className={classes.steps}>
        <Step state={steps.enrolled} place={1} title="Enrolled">
          <Text c="dimmed">
            as {device.name}, <Age at={device.enrolledAt} />
          </Text>
        </Step>
        <Step state={steps.credential} place={2} title="Has a credential of its own">
          {credentials === undefined || credentials.length === 0 ? null : (
            <Text c="dimmed">{countText(credentials.length, 'credential')} in use</Text>
          )}
          {steps.credential === 'next' ? <MakeCredential device={device} secret={secret} /> : null}
          {steps.credential === 'done' && secret.token !== undefined && !isThere ? (
            <Text>The token stands below, under Credentials, and in the lines to copy.</Text>
          ) : null}
        </Step>
        <Step state={steps.worn} place={3} title="Somebody or something wears it">
          <Worn device={device} />
        </Step>
        <Step state={steps.connected} place={4} title="Its first message came">
          <Came device={device} held={held} heardAt={heardAt} />
        </Step>
        <Step state={steps.reading} place={5} title="Its first reading is stored">
          {isThere ? <Stored device={device} heardAt={heardAt!} /> : <Waiting held={held.length} />}
        </Step>
      </ol>
      {isThere ? (
        <details>
          <summary>Lines to copy that send a reading as this device</summary>
          <Commands device={device} token={secret.token} />
        </details>
      ) : (
        <Commands device={device} token={secret.token} />
      )}
    </Section>
  )
}

interface StepProps {
  readonly state: StepState
  readonly place: number
  readonly title: string
  readonly children: ReactNode
}

const stateWords = { done: 'done', next: 'next', later: 'later' } as const

function Step({ state, place, title, children }: StepProps) {
  return (
    <li className={classes.step} data-state={state} aria-current={state === 'next' ? 'step' : undefined}>
      <span className={classes.sign} role="img" aria-label={stateWords[state]}>
        {state === 'done' ? '✓' : place}
      </span>
      <div>
        <Title order={3}>{title}</Title>
        {children}
      </div>
    </li>
  )
}

function Worn({ device }: { device: DeviceView }) {
  const navigate = useNavigate({ from: '/devices/$id' })
  const why = useWhyNot('create', 'assignment')
  const mayRead = useMay('read', 'subject')
  const { worn } = device
  const name = useQuery({
    ...queries.subjectNames(worn === null ? [] : [worn.subject]),
    enabled: mayRead && worn !== null,
  })
  if (worn !== null)
    return (
      <Text c="dimmed">
        {name.data?.get(worn.subject) === undefined ? (
          'a person you may not see'
        ) : (
          <Link to="/subjects/$id" params={{ id: worn.subject }} className={rows.link!}>
            {name.data.get(worn.subject)}
          </Link>
        )}
        , since <Age at={worn.from} />
      </Text>
    )
  if (device.wornUnseen) return <Text c="dimmed">somebody you do not see</Text>
  return (
    <>
      <Text c="dimmed">What it measures while nobody wears it belongs to nobody: it waits in quarantine.</Text>
      <Button
        mt={4}
        variant="default"
        mih={44}
        disabled={why !== null}
        title={why ?? undefined}
        onClick={() => void navigate({ search: { panel: 'wear' } })}
      >
        Put it on somebody or something
      </Button>
      {why === null ? null : <Text c="dimmed">{why}</Text>}
    </>
  )
}

function Came({ device, held, heardAt }: Omit<FirstReadingProps, 'secret'>) {
  if (device.lastConnectedAt !== null)
    return (
      <Text c="dimmed">
        {device.connected ? 'Connected by MQTT' : 'Was connected by MQTT'}, <Age at={device.lastConnectedAt} />
      </Text>
    )
  if (heardAt !== undefined || held.length > 0) return <Text c="dimmed">By HTTP, or through a gateway.</Text>
  return (
    <Text c="dimmed">Send one with a line below. It shows here within two seconds; nothing needs to be reloaded.</Text>
  )
}

function Waiting({ held }: { held: number }) {
  return held === 0 ? (
    <Text c="dimmed" role="status">
      Waiting for it.
    </Text>
  ) : (
    <Text role="status">
      A message came and was held back: why stands below, under In quarantine. Mend that and replay it, or send another.
    </Text>
  )
}

/** The value itself, for whoever may see readings of its wearer. */
function Stored({ device, heardAt }: { device: DeviceView; heardAt: number }) {
  const mayRead = useMay('read', 'series')
  const subject = device.worn?.subject ?? ''
  const latest = useQuery({ ...queries.latest(subject), enabled: mayRead && subject !== '', refetchInterval: 2_000 })
  const own = latest.data?.signals.filter((each) => each.device === device.id) ?? []
  return (
    <div role="status">
      {own.map(({ signal, last, unit }) => (
        <p key={signal}>
          {labelOf(signal)}{' '}
          <span className={classes.value}>
            {valueText(last.value, signal)} {shownUnit(unit)}
          </span>{' '}
          <Age at={last.measuredAt} />
        </p>
      ))}
      {own.length > 0 ? null : (
        <p>
          Measured <Age at={heardAt} />.{' '}
          {latest.isError || !mayRead ? 'Your role does not see readings of this wearer.' : ''}
        </p>
      )}
    </div>
  )
}

function Commands({ device, token }: { device: DeviceView; token: string | undefined }) {
  const doors = useQuery(careQueries.doors).data?.mqtt ?? []
  const profiles = useQuery(careQueries.profiles).data?.items
  const payload = samplePayload(
    profiles?.find(({ code }) => code === device.profile),
    device.classification !== 'operational',
  )
  const commands = commandsFor({ name: device.name, token, doors, origin: location.origin, payload })
  return (
    <>
      {token === undefined ? (
        <Text mt="sm" c="dimmed">
          The token is filled in here when it is made on this page; an older one only its device knows.
        </Text>
      ) : null}
      {commands.map(({ title, text }) => (
        <div key={title} className={classes.command}>
          <Text fw={600}>{title}</Text>
          {/* biome-ignore lint/a11y/noNoninteractiveTabindex: long lines are scrolled by keyboard */}
          <pre tabIndex={0}>{text}</pre>
          <CopyButton text={text} what={`the line ${title}`} />
        </div>
      ))}
    </>
  )
}
