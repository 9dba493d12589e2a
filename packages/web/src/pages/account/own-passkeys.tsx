/** One's own passkeys: what they are, where they were made, a new one, one that goes. */
import type { OwnSecondFactor, Passkey, Proof } from '@careloop/contract'
import { Button, Text, TextInput } from '@mantine/core'
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { type FormEvent, useState } from 'react'
import { accountQueries } from '../../api/account-queries.ts'
import { call } from '../../api/client.ts'
import { endpoints } from '../../api/endpoints.ts'
import { canUsePasskeys, makePasskey } from '../../api/passkey.ts'
import { Age } from '../../parts/age.tsx'
import { Dialog } from '../../parts/dialog.tsx'
import { Failed, Loading } from '../../parts/page-state.tsx'
import { FormFoot, Refusal } from '../../parts/refusal.tsx'
import rows from '../../parts/rows.module.css'
import { Section } from '../../parts/section.tsx'
import classes from './account.module.css'
import { browserWords } from './browser-words.ts'
import { KeepBackupCodes } from './enrol-second-factor.tsx'
import { ProveForm, type Shown } from './prove-form.tsx'

type Doing = { readonly do: 'add' } | { readonly do: 'remove'; readonly passkey: Passkey }

export function OwnPasskeys() {
  const { data, error, refetch } = useQuery(accountQueries.passkeys)
  const own = useQuery(accountQueries.secondFactor)
  const [doing, setDoing] = useState<Doing | null>(null)
  const why = canUsePasskeys() ? null : 'This browser makes no passkeys here. They need https, or http://localhost.'
  const end = () => setDoing(null)
  return (
    <Section title="Passkeys">
      <Text mb="sm">
        A passkey signs you in with the fingerprint, face or PIN of a device or security key, without a password. No
        page that only looks like ours can use it.
      </Text>
      {data === undefined && error === null ? <Loading rows={1} /> : null}
      {data === undefined && error !== null ? (
        <Failed what="Your passkeys could not be read" error={error} onRetry={() => void refetch()} />
      ) : null}
      {data?.items.length === 0 ? <Text mb="sm">You have none yet.</Text> : null}
      {data === undefined || data.items.length === 0 ? null : (
        <ul className={rows.rows}>
          {data.items.map((passkey) => (
            <Row key={passkey.id} passkey={passkey} onRemove={() => setDoing({ do: 'remove', passkey })} />
          ))}
        </ul>
      )}
      <Button mt="sm" mih={44} variant="default" disabled={why !== null} onClick={() => setDoing({ do: 'add' })}>
        Add a passkey
      </Button>
      {why === null ? null : <Text mt="xs">{why}</Text>}
      <Dialog
        title={doing?.do === 'remove' ? `Remove ${doing.passkey.name}` : 'Add a passkey'}
        opened={doing !== null}
        onClose={end}
      >
        {doing?.do === 'add' && own.data !== undefined ? <Add own={own.data} onEnd={end} /> : null}
        {doing?.do === 'remove' && own.data !== undefined ? (
          <Remove own={own.data} passkey={doing.passkey} onEnd={end} />
        ) : null}
      </Dialog>
    </Section>
  )
}

function Row({ passkey, onRemove }: { passkey: Passkey; onRemove: () => void }) {
  return (
    <li className={rows.row}>
      <div className={rows.what}>
        <strong>{passkey.name}</strong>
        {passkey.isSynced ? ' · kept on several devices' : ''}
        <div className={rows.soft}>
          added <Age at={passkey.createdAt} />,{' '}
          {passkey.usedAt === null ? (
            'not used yet'
          ) : (
            <>
              used <Age at={passkey.usedAt} />
            </>
          )}
        </div>
        {passkey.isSuspected ? (
          <strong role="alert">There seem to be two of it. It opens nothing any more: remove it.</strong>
        ) : null}
      </div>
      <Button variant="default" mih={44} onClick={onRemove} aria-label={`Remove the passkey ${passkey.name}`}>
        Remove
      </Button>
    </li>
  )
}

const useRenew = () => {
  const client = useQueryClient()
  return () =>
    client.invalidateQueries({
      predicate: ({ queryKey }) => ['second-factor', 'passkeys', 'sessions'].includes(String(queryKey[0])),
    })
}

const proofOf = (own: OwnSecondFactor, { password, code, passkey }: Shown): Proof =>
  own.isOn ? { password, ...(passkey === undefined ? { code } : { passkey }) } : { password }

type Step =
  | { readonly is: 'prove' }
  | { readonly is: 'name'; readonly options: Readonly<Record<string, unknown>> }
  | { readonly is: 'keep'; readonly codes: readonly string[] }

function Add({ own, onEnd }: { own: OwnSecondFactor; onEnd: () => void }) {
  const renew = useRenew()
  const [step, setStep] = useState<Step>({ is: 'prove' })
  const begin = useMutation({
    mutationFn: (shown: Shown) => call(endpoints.beginPasskey, { body: proofOf(own, shown) }),
    onSuccess: ({ options }) => setStep({ is: 'name', options }),
  })
  const add = useMutation({
    mutationFn: async ({ name, options }: { name: string; options: Readonly<Record<string, unknown>> }) =>
      call(endpoints.addPasskey, { body: { name, passkey: await makePasskey(options) } }),
    async onSuccess({ codes }) {
      await renew()
      if (codes.length > 0) setStep({ is: 'keep', codes })
      else onEnd()
    },
  })
  if (step.is === 'keep')
    return (
      <div className={classes.stack}>
        <KeepBackupCodes codes={step.codes} onKept={onEnd} />
      </div>
    )
  if (step.is === 'prove')
    return (
      <ProveForm
        own={own}
        error={begin.error}
        isPending={begin.isPending}
        onShown={(shown) => begin.mutate(shown)}
        onCancel={onEnd}
      />
    )
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault()
    const name = String(new FormData(event.currentTarget).get('name'))
    add.mutate({ name, options: step.options })
  }
  return (
    <form onSubmit={submit}>
      <TextInput
        label="What do you call it?"
        description="So that you know it in the list: the device it is on."
        name="name"
        defaultValue={browserWords(navigator.userAgent)}
        required
        maxLength={60}
        size="md"
        data-autofocus
      />
      <Refusal error={add.error} />
      <FormFoot label="Make the passkey" isPending={add.isPending} onCancel={onEnd} />
    </form>
  )
}

function Remove({ own, passkey, onEnd }: { own: OwnSecondFactor; passkey: Passkey; onEnd: () => void }) {
  const renew = useRenew()
  const remove = useMutation({
    mutationFn: (shown: Shown) =>
      call(endpoints.removePasskey, { params: { id: passkey.id }, body: proofOf(own, shown) }),
    async onSuccess() {
      await renew()
      onEnd()
    },
  })
  return (
    <ProveForm
      own={own}
      error={remove.error}
      isPending={remove.isPending}
      onShown={(shown) => remove.mutate(shown)}
      onCancel={onEnd}
    >
      <Text mb="sm">It signs you in no more, and your other sessions end.</Text>
    </ProveForm>
  )
}
