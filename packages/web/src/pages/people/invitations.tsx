/** Invitations that wait, and the dialog by which somebody is invited: they choose their own password. */
import type { Invitation, InvitationMade, Role } from '@careloop/contract'
import { Button, Text, TextInput } from '@mantine/core'
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { type FormEvent, useState } from 'react'
import { accessQueries } from '../../api/access-queries.ts'
import { call } from '../../api/client.ts'
import { endpoints } from '../../api/endpoints.ts'
import { Age } from '../../parts/age.tsx'
import { CopyButton } from '../../parts/copy-button.tsx'
import { Dialog } from '../../parts/dialog.tsx'
import { Failed } from '../../parts/page-state.tsx'
import { FormFoot, Refusal, refusalAt } from '../../parts/refusal.tsx'
import rows from '../../parts/rows.module.css'
import { Section } from '../../parts/section.tsx'
import { useOffline, useWhyNot } from '../../parts/why-not.ts'
import { momentText } from '../../parts/words.ts'
import classes from '../account/account.module.css'
import { RolesInput } from './roles-input.tsx'

const stateWords: Readonly<Record<Invitation['state'], string>> = {
  ...{ waiting: 'waits', expired: 'has expired', accepted: 'accepted', revoked: 'taken back' },
}

/** Those that wait or have just run out; who accepted stands in the list of people. */
export function Invitations({ onMade }: { onMade: (made: InvitationMade) => void }) {
  const { data, error, refetch } = useQuery(accessQueries.invitations)
  const open = data?.items.filter(({ state }) => state === 'waiting' || state === 'expired')
  if (error !== null && data === undefined)
    return <Failed what="The invitations could not be read" error={error} onRetry={() => void refetch()} />
  if (open === undefined || open.length === 0) return null
  return (
    <Section title="Invited">
      <ul className={rows.rows} aria-label="Invited">
        {open.map((each) => (
          <Row key={each.id} invitation={each} onMade={onMade} />
        ))}
      </ul>
    </Section>
  )
}

function useInvitationChange<T, A>(fn: (asked: A) => Promise<T>, onDone: (answer: T) => void) {
  const client = useQueryClient()
  return useMutation({
    mutationFn: fn,
    onSuccess: async (answer: T) => {
      await client.invalidateQueries({ queryKey: ['invitations'] })
      onDone(answer)
    },
  })
}

function Row({ invitation, onMade }: { invitation: Invitation; onMade: (made: InvitationMade) => void }) {
  const { id, email, roles, state, createdAt, sentAt } = invitation
  const why = useWhyNot('create', 'invitation')
  const again = useInvitationChange(() => call(endpoints.resendInvitation, { params: { id } }), onMade)
  const back = useInvitationChange(
    () => call(endpoints.revokeInvitation, { params: { id } }),
    () => {},
  )
  return (
    <li className={rows.row}>
      <div className={rows.what}>
        <strong>{email}</strong>
        <div>{roles.join(', ')}</div>
        <div className={rows.soft}>
          {stateWords[state]} · invited <Age at={createdAt} />
          {sentAt === null ? ' · not sent by e-mail' : ' · sent by e-mail'}
        </div>
        <Refusal error={again.error ?? back.error} />
      </div>
      <div className={rows.acts}>
        <Button
          variant="default"
          mih={44}
          disabled={why !== null}
          title={why ?? undefined}
          loading={again.isPending}
          aria-label={`New link for ${email}`}
          onClick={() => again.mutate(undefined)}
        >
          New link
        </Button>
        <Button
          variant="default"
          mih={44}
          disabled={why !== null}
          title={why ?? undefined}
          loading={back.isPending}
          aria-label={`Take back the invitation of ${email}`}
          onClick={() => back.mutate(undefined)}
        >
          Take back
        </Button>
      </div>
    </li>
  )
}

/** @param made the link of an invitation that was renewed from the list */
export function InviteDialog(props: {
  opened: boolean
  made: InvitationMade | null
  onMade: (made: InvitationMade) => void
  onEnd: () => void
}) {
  const { opened, made, onMade, onEnd } = props
  return (
    <Dialog
      title={made === null ? 'Invite somebody' : 'The link of the invitation'}
      opened={opened || made !== null}
      onClose={onEnd}
    >
      {made === null ? <InviteForm onEnd={onEnd} onMade={onMade} /> : <Link made={made} onEnd={onEnd} />}
    </Dialog>
  )
}

function InviteForm({ onEnd, onMade }: { onEnd: () => void; onMade: (made: InvitationMade) => void }) {
  const [roles, setRoles] = useState<Role[]>([])
  const why = useOffline()
  const invite = useInvitationChange(
    (body: { email: string; roles: Role[] }) => call(endpoints.invite, { body }),
    onMade,
  )
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault()
    invite.mutate({ email: String(new FormData(event.currentTarget).get('email')).trim(), roles })
  }
  return (
    <form onSubmit={submit}>
      <TextInput
        label="E-mail"
        description="They sign in with it, and choose name and password themselves."
        name="email"
        type="email"
        required
        size="md"
        autoComplete="off"
        error={refusalAt(invite.error, '/body/email')}
      />
      <RolesInput value={roles} onChange={setRoles} />
      <Refusal error={invite.error} shown={['/body/email']} />
      <FormFoot
        label="Invite"
        isPending={invite.isPending}
        onCancel={onEnd}
        why={why ?? (roles.length === 0 ? 'Choose at least one role.' : null)}
      />
    </form>
  )
}

function Link({ made, onEnd }: { made: InvitationMade; onEnd: () => void }) {
  const link = `${location.origin}${made.path}`
  return (
    <div className={classes.stack}>
      <Text>
        {made.isMailed ? 'It also goes out by e-mail. ' : 'No mail server is set up: hand it over yourself. '}
        It is shown now and never again, is good once, and ends {momentText(made.expiresAt, Date.now(), true)}.
      </Text>
      <code className={classes.secret} style={{ overflowWrap: 'anywhere' }}>
        {link}
      </code>
      <div>
        <CopyButton text={link} what="the link" />
      </div>
      <Button mih={44} onClick={onEnd}>
        Done
      </Button>
    </div>
  )
}
