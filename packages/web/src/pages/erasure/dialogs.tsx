/** What is asked before a record is erased or held: the words of what is lost stand in front of it. */
import type { ErasureView, LegalHoldView, NewErasure } from '@careloop/contract'
import { Button, Checkbox, Group, NativeSelect, Text, Textarea } from '@mantine/core'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { type FormEvent, useState } from 'react'
import { call } from '../../api/client.ts'
import { endpoints } from '../../api/endpoints.ts'
import { Dialog } from '../../parts/dialog.tsx'
import { FormFoot, Refusal } from '../../parts/refusal.tsx'
import { useOffline } from '../../parts/why-not.ts'
import { erasureBases, whatIsLost } from './words.ts'

export type Open =
  | { readonly propose: string }
  | { readonly decide: ErasureView }
  | { readonly withdraw: ErasureView }
  | { readonly hold: string }
  | { readonly release: LegalHoldView }
  | null

const titleOf = (open: Open): string => {
  if (open === null) return ''
  if ('propose' in open) return 'Propose to erase this record'
  if ('decide' in open) return 'Erase this record for ever?'
  if ('withdraw' in open) return 'Withdraw the proposal'
  return 'hold' in open ? 'Place a legal hold' : 'Release the legal hold'
}

export function ErasureDialogs({ open, onEnd }: { open: Open; onEnd: () => void }) {
  return (
    <Dialog title={titleOf(open)} opened={open !== null} onClose={onEnd}>
      {open === null ? null : <Form open={open} onEnd={onEnd} />}
    </Dialog>
  )
}

function Form({ open, onEnd }: { open: NonNullable<Open>; onEnd: () => void }) {
  if ('propose' in open) return <Propose subject={open.propose} onEnd={onEnd} />
  if ('decide' in open) return <Decide erasure={open.decide} onEnd={onEnd} />
  if ('withdraw' in open) return <Withdraw erasure={open.withdraw} onEnd={onEnd} />
  return <Hold open={open} onEnd={onEnd} />
}

function useAct<A>(fn: (asked: A) => Promise<unknown>, onEnd: () => void) {
  const client = useQueryClient()
  return useMutation({
    mutationFn: fn,
    async onSuccess() {
      await client.invalidateQueries({ queryKey: ['erasure'] })
      onEnd()
    },
  })
}

const fieldOf = (event: FormEvent<HTMLFormElement>, name: string): string =>
  String(new FormData(event.currentTarget).get(name) ?? '').trim()

function Lost() {
  return (
    <ul>
      {whatIsLost.map((line) => (
        <li key={line}>{line}</li>
      ))}
    </ul>
  )
}

function Propose({ subject, onEnd }: { subject: string; onEnd: () => void }) {
  const why = useOffline()
  const act = useAct((body: NewErasure) => call(endpoints.proposeErasure, { params: { id: subject }, body }), onEnd)
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault()
    act.mutate({ basis: fieldOf(event, 'basis') as NewErasure['basis'], reason: fieldOf(event, 'reason') })
  }
  return (
    <form onSubmit={submit}>
      <Lost />
      <NativeSelect
        label="Legal basis; it stays on record"
        name="basis"
        size="md"
        data={Object.entries(erasureBases).map(([value, label]) => ({ value, label }))}
        data-autofocus
      />
      <Textarea
        label="Reason; it is sealed and goes with the record"
        name="reason"
        required
        minLength={3}
        maxLength={2000}
        mt="sm"
        autosize
        minRows={3}
      />
      <Refusal error={act.error} />
      <FormFoot label="Propose" isPending={act.isPending} onCancel={onEnd} why={why} />
    </form>
  )
}

function Decide({ erasure, onEnd }: { erasure: ErasureView; onEnd: () => void }) {
  const why = useOffline()
  const [isSure, setSure] = useState(false)
  const act = useAct(
    (decision: 'approve' | 'refuse') =>
      call(endpoints.decideErasure, { params: { id: erasure.id }, body: { decision } }),
    onEnd,
  )
  return (
    <>
      <Text>
        Record <code>{erasure.subject}</code>. {erasureBases[erasure.basis]}. {erasure.reason}
      </Text>
      <Lost />
      <Checkbox
        label="I understand that nothing brings this record back"
        checked={isSure}
        onChange={(event) => setSure(event.currentTarget.checked)}
        data-autofocus
      />
      <Refusal error={act.error} />
      {why === null ? null : <Text mt="sm">{why}</Text>}
      <Group mt="lg" justify="flex-end">
        <Button variant="default" mih={44} onClick={onEnd}>
          Cancel
        </Button>
        <Button
          variant="default"
          mih={44}
          loading={act.isPending}
          disabled={why !== null}
          onClick={() => act.mutate('refuse')}
        >
          Refuse
        </Button>
        <Button
          color="red"
          mih={44}
          loading={act.isPending}
          disabled={!isSure || why !== null}
          title={isSure ? undefined : 'Tick the box first'}
          onClick={() => act.mutate('approve')}
        >
          Erase for ever
        </Button>
      </Group>
    </>
  )
}

function Withdraw({ erasure, onEnd }: { erasure: ErasureView; onEnd: () => void }) {
  const why = useOffline()
  const act = useAct((_: undefined) => call(endpoints.withdrawErasure, { params: { id: erasure.id } }), onEnd)
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault()
    act.mutate(undefined)
  }
  return (
    <form onSubmit={submit}>
      <Text>Nothing is erased. It stays on record that it was proposed and withdrawn.</Text>
      <Refusal error={act.error} />
      <FormFoot label="Withdraw" isPending={act.isPending} onCancel={onEnd} why={why} />
    </form>
  )
}

function Hold({
  open,
  onEnd,
}: {
  open: { readonly hold: string } | { readonly release: LegalHoldView }
  onEnd: () => void
}) {
  const why = useOffline()
  const isNew = 'hold' in open
  const act = useAct(
    (reason: string) =>
      isNew
        ? call(endpoints.placeLegalHold, { params: { id: open.hold }, body: { reason } })
        : call(endpoints.releaseLegalHold, { params: { id: open.release.id }, body: { reason } }),
    onEnd,
  )
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault()
    act.mutate(fieldOf(event, 'reason'))
  }
  return (
    <form onSubmit={submit}>
      <Text>
        {isNew
          ? 'While it stands, nothing of the record is erased or let go by age, whoever asks for it.'
          : 'From then on the record can be erased again, and what is past its time goes.'}
      </Text>
      <Textarea
        label="Reason; it is sealed"
        name="reason"
        required
        minLength={3}
        maxLength={2000}
        mt="sm"
        autosize
        minRows={3}
        data-autofocus
      />
      <Refusal error={act.error} />
      <FormFoot label={isNew ? 'Place' : 'Release'} isPending={act.isPending} onCancel={onEnd} why={why} />
    </form>
  )
}
