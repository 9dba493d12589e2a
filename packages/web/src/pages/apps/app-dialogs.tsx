/** What is done with one app: each in a dialog of its own, with what it means said before. */
import type { AppBody, AppMade } from '@careloop/contract'
import { Button, Text } from '@mantine/core'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { call } from '../../api/client.ts'
import { endpoints } from '../../api/endpoints.ts'
import { CopyButton } from '../../parts/copy-button.tsx'
import { Dialog } from '../../parts/dialog.tsx'
import { FormFoot, Refusal } from '../../parts/refusal.tsx'
import { useOffline } from '../../parts/why-not.ts'
import { AppForm, settingsOf } from './app-form.tsx'

export type Open =
  | 'register'
  | { readonly change: AppBody }
  | { readonly made: AppMade }
  | { readonly renew: AppBody }
  | { readonly end: AppBody }
  | null

export function AppDialogs({ open, onOpen }: { open: Open; onOpen: (open: Open) => void }) {
  const end = () => onOpen(null)
  const given = (made: AppMade) => onOpen({ made })
  return (
    <Dialog title={titleOf(open)} opened={open !== null} onClose={end} size="lg">
      {open === 'register' ? <AppForm app={null} onEnd={end} onMade={given} /> : null}
      {open !== null && open !== 'register' && 'change' in open ? (
        <AppForm app={open.change} onEnd={end} onMade={end} />
      ) : null}
      {open !== null && open !== 'register' && 'made' in open ? <Made made={open.made} onEnd={end} /> : null}
      {open !== null && open !== 'register' && 'renew' in open ? (
        <Renew app={open.renew} onEnd={end} onMade={given} />
      ) : null}
      {open !== null && open !== 'register' && 'end' in open ? <SwitchOver app={open.end} onEnd={end} /> : null}
    </Dialog>
  )
}

function titleOf(open: Open): string {
  if (open === null) return ''
  if (open === 'register') return 'Register an app'
  if ('change' in open) return `Change ${open.change.name}`
  if ('made' in open) return open.made.app.name
  if ('renew' in open) return `New secret for ${open.renew.name}`
  return `${open.end.disabledAt === null ? 'Switch off' : 'Switch on'} ${open.end.name}`
}

function Made({ made: { app, secret }, onEnd }: { made: AppMade; onEnd: () => void }) {
  return (
    <>
      <Text>
        Client id: <code>{app.id}</code> <CopyButton text={app.id} what="the client id" />
      </Text>
      {secret === null ? null : (
        <Text mt="md">
          Secret, shown this once: <code>{secret}</code> <CopyButton text={secret} what="the secret" />
        </Text>
      )}
      <Button mt="lg" mih={44} onClick={onEnd}>
        Done
      </Button>
    </>
  )
}

function useAppChange<T>(fn: () => Promise<T>, onDone: (answer: T) => void) {
  const client = useQueryClient()
  return useMutation({
    mutationFn: fn,
    async onSuccess(answer: T) {
      await client.invalidateQueries({ queryKey: ['apps'] })
      onDone(answer)
    },
  })
}

interface ConfirmProps {
  readonly app: AppBody
  readonly onEnd: () => void
}

function Renew({ app, onEnd, onMade }: ConfirmProps & { onMade: (made: AppMade) => void }) {
  const why = useOffline()
  const renew = useAppChange(() => call(endpoints.renewAppSecret, { params: { id: app.id } }), onMade)
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault()
        renew.mutate()
      }}
    >
      <Text>The secret that the app has now opens nothing from then on. Give it the new one at once.</Text>
      <Refusal error={renew.error} />
      <FormFoot label="Make a new secret" isPending={renew.isPending} onCancel={onEnd} why={why} />
    </form>
  )
}

function SwitchOver({ app, onEnd }: ConfirmProps) {
  const why = useOffline()
  const isEnabled = app.disabledAt !== null
  const body = { ...settingsOf(app), isEnabled }
  const change = useAppChange(() => call(endpoints.changeApp, { params: { id: app.id }, body }), onEnd)
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault()
        change.mutate()
      }}
    >
      <Text>
        {isEnabled
          ? 'People can allow it again. What they had allowed before stays ended.'
          : 'From the next request on it opens nothing, whoever allowed it. People are not asked for it any more.'}
      </Text>
      <Refusal error={change.error} />
      <FormFoot
        label={isEnabled ? 'Switch on' : 'Switch off'}
        isPending={change.isPending}
        onCancel={onEnd}
        why={why}
      />
    </form>
  )
}
