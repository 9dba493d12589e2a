/** Wall screens: made, given a link, seen or missed, revoked. For administrators and facilities. */
import type { DisplayBody, NewDisplay } from '@careloop/contract'
import { Button, Text, TextInput } from '@mantine/core'
import { type QueryClient, useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { type FormEvent, useState } from 'react'
import { call } from '../../api/client.ts'
import { endpoints } from '../../api/endpoints.ts'
import { officeQueries } from '../../api/office-queries.ts'
import { Age } from '../../parts/age.tsx'
import { CopyButton } from '../../parts/copy-button.tsx'
import { Dialog } from '../../parts/dialog.tsx'
import { Page, useTitle } from '../../parts/page.tsx'
import { Empty, Failed, Loading, NotRenewed, WithRight } from '../../parts/page-state.tsx'
import { FormFoot, Refusal } from '../../parts/refusal.tsx'
import rows from '../../parts/rows.module.css'
import { useOffline, useWhyNot } from '../../parts/why-not.ts'
import { momentText } from '../../parts/words.ts'
import classes from '../account/account.module.css'

const empty = (
  <Empty title="No wall screen yet">
    A wall screen shows the board to everybody who walks by, without anybody being signed in. Add one, and open its link
    on the screen.
  </Empty>
)

export const loadDisplays = (client: QueryClient): void => void client.prefetchQuery(officeQueries.displays)

export function DisplaysPage() {
  useTitle('Wall screens')
  return (
    <WithRight resource="display" what="Wall screens">
      <Displays />
    </WithRight>
  )
}

type Open = 'add' | { readonly link: DisplayBody } | { readonly revoke: DisplayBody } | null

function Displays() {
  const [open, setOpen] = useState<Open>(null)
  const displays = useQuery(officeQueries.displays)
  const { data, error, refetch } = displays
  const why = useWhyNot('create', 'display')
  const again = () => void refetch()
  const add = (
    <Button mih={44} disabled={why !== null} title={why ?? undefined} onClick={() => setOpen('add')}>
      Add a screen
    </Button>
  )
  return (
    <Page title="Wall screens" beside={add}>
      {displays.isPending ? <Loading /> : null}
      {error !== null && data === undefined ? (
        <Failed what="The list of wall screens could not be read" error={error} onRetry={again} />
      ) : null}
      {displays.isRefetchError ? (
        <NotRenewed error={displays.error} readAt={displays.dataUpdatedAt} onRetry={again} />
      ) : null}
      {data?.items.length === 0 ? empty : null}
      {data === undefined || data.items.length === 0 ? null : (
        <ul className={rows.rows} aria-label="Wall screens">
          {data.items.map((display) => (
            <Row key={display.id} display={display} onOpen={setOpen} />
          ))}
        </ul>
      )}
      <Dialogs open={open} onEnd={() => setOpen(null)} />
    </Page>
  )
}

const stateWords = {
  waiting: 'its link was not opened yet',
  'link-over': 'its link has expired: make a new one',
  showing: 'shows its board',
  expired: 'its time is over',
  revoked: 'revoked',
} as const

function Row({ display, onOpen }: { display: DisplayBody; onOpen: (open: Open) => void }) {
  const { name, state, lastSeenAt, expiresAt } = display
  const why = useWhyNot('delete', 'display')
  const isOver = state === 'revoked' || state === 'expired'
  return (
    <li className={rows.row}>
      <div className={rows.what}>
        <strong>{name}</strong> <span className={rows.soft}>Cold chain</span>
        <div>{stateWords[state]}</div>
        <div className={rows.soft}>
          {lastSeenAt === null ? (
            'never seen'
          ) : (
            <>
              last seen <Age at={lastSeenAt} />
            </>
          )}
          {isOver ? '' : ` · until ${momentText(expiresAt, Date.now())}`}
        </div>
      </div>
      {isOver ? null : (
        <div className={rows.acts}>
          <Button
            variant="default"
            mih={44}
            disabled={why !== null}
            title={why ?? undefined}
            onClick={() => onOpen({ link: display })}
            aria-label={`New link for ${name}`}
          >
            New link
          </Button>
          <Button
            variant="default"
            mih={44}
            disabled={why !== null}
            title={why ?? undefined}
            onClick={() => onOpen({ revoke: display })}
            aria-label={`Revoke ${name}`}
          >
            Revoke
          </Button>
        </div>
      )}
    </li>
  )
}

function Dialogs({ open, onEnd }: { open: Open; onEnd: () => void }) {
  const [token, setToken] = useState<string | null>(null)
  const end = () => {
    setToken(null)
    onEnd()
  }
  const title =
    token !== null
      ? 'Open this link on the screen'
      : open === 'add'
        ? 'Add a wall screen'
        : open === null
          ? ''
          : 'link' in open
            ? `New link for ${open.link.name}`
            : `Revoke ${open.revoke.name}`
  return (
    <Dialog title={title} opened={open !== null} onClose={end}>
      {token !== null ? <Given token={token} onEnd={end} /> : null}
      {token === null && open === 'add' ? <AddForm onEnd={end} onGiven={setToken} /> : null}
      {token === null && open !== null && open !== 'add' ? (
        <Confirm open={open} onEnd={end} onGiven={setToken} />
      ) : null}
    </Dialog>
  )
}

function useDisplayChange<A, T>(fn: (asked: A) => Promise<T>, onDone: (answer: T) => void) {
  const client = useQueryClient()
  return useMutation({
    mutationFn: fn,
    async onSuccess(answer: T) {
      await client.invalidateQueries({ queryKey: ['displays'] })
      onDone(answer)
    },
  })
}

function AddForm({ onEnd, onGiven }: { onEnd: () => void; onGiven: (token: string) => void }) {
  const why = useOffline()
  const add = useDisplayChange(
    (body: NewDisplay) => call(endpoints.newDisplay, { body }),
    ({ token }) => onGiven(token),
  )
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault()
    const name = String(new FormData(event.currentTarget).get('name') ?? '').trim()
    add.mutate({ name, board: 'cold-chain' })
  }
  return (
    <form onSubmit={submit}>
      <TextInput
        label="Where it hangs"
        placeholder="Pharmacy, north wall"
        name="name"
        required
        maxLength={100}
        size="md"
        autoComplete="off"
        data-autofocus
      />
      <Text c="dimmed" mt="sm">
        It shows the cold-chain board for a year, and nothing else: no patient, and colleagues by their initials.
      </Text>
      <Refusal error={add.error} />
      <FormFoot label="Add" isPending={add.isPending} onCancel={onEnd} why={why} />
    </form>
  )
}

interface ConfirmProps {
  readonly open: { readonly link: DisplayBody } | { readonly revoke: DisplayBody }
  readonly onEnd: () => void
  readonly onGiven: (token: string) => void
}

function Confirm({ open, onEnd, onGiven }: ConfirmProps) {
  const why = useOffline()
  const go = useDisplayChange(
    async (_: undefined) => {
      if ('link' in open) return (await call(endpoints.newDisplayLink, { params: { id: open.link.id } })).token
      await call(endpoints.revokeDisplay, { params: { id: open.revoke.id } })
      return null
    },
    (token) => (token === null ? onEnd() : onGiven(token)),
  )
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault()
    go.mutate(undefined)
  }
  return (
    <form onSubmit={submit}>
      <Text>
        {'link' in open
          ? 'Whichever screen opens the new link takes the place of the one that shows now.'
          : 'It goes dark at once. A new screen needs a new link.'}
      </Text>
      <Refusal error={go.error} />
      <FormFoot
        label={'link' in open ? 'Make a new link' : 'Revoke'}
        isPending={go.isPending}
        onCancel={onEnd}
        why={why}
      />
    </form>
  )
}

function Given({ token, onEnd }: { token: string; onEnd: () => void }) {
  const link = `${location.origin}/display#${token}`
  return (
    <div className={classes.stack}>
      <Text>
        This link is shown now and never again. It opens once, within a day, on the screen that is to show the board.
      </Text>
      <code className={classes.secret}>{link}</code>
      <div>
        <CopyButton text={link} what="the link" />
      </div>
      <Button mih={44} onClick={onEnd}>
        Done
      </Button>
    </div>
  )
}
