/** One message in quarantine: what is wrong, its bytes, and the two ways out. */
import type { MessagePart } from '@careloop/contract'
import { Button, Checkbox, Group, NativeSelect, Text, Title } from '@mantine/core'
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import { call } from '../../api/client.ts'
import { type DismissReason, dismissReasons, endpoints } from '../../api/endpoints.ts'
import { queries } from '../../api/queries.ts'
import { serverNow } from '../../app/clock.ts'
import { useMay } from '../../app/session.tsx'
import { Failed, Loading } from '../../parts/page-state.tsx'
import { bytesText, countText, momentText } from '../../parts/words.ts'
import { asHex, asText } from './bytes.ts'
import classes from './frame-pane.module.css'
import { type Frame, reasonWords } from './page.tsx'

export function FramePane({ frame, onSettled }: { frame: Frame; onSettled: () => void }) {
  return (
    <>
      <Title order={2}>{reasonWords[frame.reason]}</Title>
      <Text mt={4}>{frame.message}</Text>
      <dl className={classes.facts}>
        <dt>Where</dt>
        <dd>
          <code>{frame.pointer || 'whole message'}</code>
        </dd>
        <dt>Received</dt>
        <dd>
          {momentText(frame.receivedAt, serverNow(), true)} by {frame.door}
        </dd>
        <dt>Device</dt>
        <dd>
          <DeviceName id={frame.device} />
        </dd>
      </dl>
      {frame.status === 'held' ? (
        <Settle frame={frame} onSettled={onSettled} />
      ) : (
        <Text>
          {frame.status}
          {frame.outcome ? `: ${frame.outcome}` : ''}
          {frame.settledAt === null ? '' : `, ${momentText(frame.settledAt, serverNow())}`}
        </Text>
      )}
      <Bytes frame={frame} />
    </>
  )
}

function DeviceName({ id }: { id: string | null }) {
  const enabled = useMay('read', 'device') && id !== null
  const devices = useQuery({ ...queries.devices, enabled }).data?.items
  return devices?.find((device) => device.id === id)?.name ?? id ?? 'not known'
}

/** Looking at bytes is recorded, since they may be about a person: so they are shown on asking. */
function Bytes({ frame }: { frame: Frame }) {
  const [asked, setAsked] = useState(false)
  const bytes = useQuery({ ...queries.quarantineBytes(frame.id), enabled: asked })
  if (!asked)
    return (
      <Button variant="default" mt="lg" mih={44} onClick={() => setAsked(true)}>
        Show the {bytesText(frame.bytes)} as they came
      </Button>
    )
  if (bytes.isError)
    return <Failed what="The bytes could not be read" error={bytes.error} onRetry={() => void bytes.refetch()} />
  if (bytes.data === undefined) return <Loading rows={1} height={120} />
  const { base64, withheld, structure = [] } = bytes.data
  if (base64 === null) return <Structure why={withheld ?? ''} parts={structure} />
  const text = asText(base64)
  return (
    <section aria-label="The message as it came">
      <Title order={3} mt="lg">
        As it came{bytes.data.topic === undefined ? '' : ` on ${bytes.data.topic}`}, read as {bytes.data.format}
      </Title>
      {text === null ? null : <pre className={classes.bytes}>{text}</pre>}
      <details open={text === null}>
        <summary>Hexadecimal</summary>
        <pre className={classes.bytes}>{asHex(base64)}</pre>
      </details>
    </section>
  )
}

/** Of a patient who is out of sight: how the message is built, so that its sender can be mended. */
function Structure({ why, parts }: { why: string; parts: readonly MessagePart[] }) {
  return (
    <section aria-label="How the message is built">
      <Title order={3} mt="lg">
        How it is built
      </Title>
      <Text mb="xs">{why}</Text>
      <pre className={classes.bytes}>
        {parts
          .map(({ pointer, type, size }) => `${pointer || '(whole)'}: ${type}${size === null ? '' : `, ${size}`}`)
          .join('\n')}
      </pre>
    </section>
  )
}

function Settle({ frame, onSettled }: { frame: Frame; onSettled: () => void }) {
  const mayAct = useMay('act', 'quarantine')
  const client = useQueryClient()
  const [takeImplausible, setTakeImplausible] = useState(false)
  const [why, setWhy] = useState<DismissReason | ''>('')
  const settled = async () => {
    await client.invalidateQueries({ queryKey: ['quarantine'] })
    onSettled()
  }
  const params = { id: frame.id }
  const replay = useMutation({
    mutationFn: () => call(endpoints.replay, { params, body: { takeImplausible } }),
    onSuccess: settled,
  })
  const dismiss = useMutation({
    mutationFn: (reason: DismissReason) => call(endpoints.dismiss, { params, body: { why: reason } }),
    onSuccess: settled,
  })
  if (!mayAct) return <Text>Your role may look at quarantine and not settle it. Biomed and integrators can.</Text>
  const error = replay.error ?? dismiss.error
  return (
    <>
      {frame.reason === 'implausible' ? (
        <Checkbox
          mb="sm"
          label="Take the value in although it is implausible; it stays flagged and is used by no rule"
          checked={takeImplausible}
          onChange={(event) => setTakeImplausible(event.currentTarget.checked)}
        />
      ) : null}
      <Group align="flex-end" gap="sm">
        <Button mih={44} loading={replay.isPending} onClick={() => replay.mutate()}>
          Replay
        </Button>
        <NativeSelect
          label="Let it go, because"
          value={why}
          onChange={(event) => setWhy(event.currentTarget.value as DismissReason | '')}
          data={[
            { value: '', label: 'Choose a reason' },
            ...Object.entries(dismissReasons).map(([value, label]) => ({ value, label })),
          ]}
        />
        <Button
          variant="default"
          mih={44}
          loading={dismiss.isPending}
          disabled={why === ''}
          title={why === '' ? 'Choose a reason first' : undefined}
          onClick={() => why !== '' && dismiss.mutate(why)}
        >
          Dismiss
        </Button>
      </Group>
      <Text mt="sm" role="status" fw={error ? 600 : 400} {...(error ? {} : { c: 'dimmed' })}>
        {error?.message ??
          (replay.data
            ? `Taken in: ${countText(replay.data.readings, 'reading')}.`
            : 'Mend the cause first (enrol, assign, correct the profile), then replay: times stay those of the original.')}
      </Text>
    </>
  )
}
