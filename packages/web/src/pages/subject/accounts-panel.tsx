/** Accounts of the patient and of those who care for them: invited here by a code on paper, ended here. */
import type { InvitePerson, PersonAccount, PersonInvited, Relationship } from '@careloop/contract'
import { Button, NativeSelect, Text } from '@mantine/core'
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { type FormEvent, useState } from 'react'
import { accessQueries } from '../../api/access-queries.ts'
import { call } from '../../api/client.ts'
import { endpoints } from '../../api/endpoints.ts'
import { Age } from '../../parts/age.tsx'
import { CopyButton } from '../../parts/copy-button.tsx'
import { Dialog } from '../../parts/dialog.tsx'
import { Failed } from '../../parts/page-state.tsx'
import { FormFoot, Refusal } from '../../parts/refusal.tsx'
import rows from '../../parts/rows.module.css'
import { Section } from '../../parts/section.tsx'
import { useOffline, useWhyNot } from '../../parts/why-not.ts'
import { momentText } from '../../parts/words.ts'
import classes from '../account/account.module.css'

const relationships: Readonly<Record<Relationship, string>> = {
  ...{ partner: 'Partner', parent: 'Parent', child: 'Child', sibling: 'Sibling', friend: 'Friend' },
  ...{ guardian: 'Guardian', professional: 'Carer by profession', other: 'Other' },
}
const stateWords: Readonly<Record<PersonAccount['state'], string>> = {
  ...{ invited: 'invited', expired: 'the code is over', active: 'has an account', ended: 'ended' },
}

type Open = { readonly is: 'patient' | 'caregiver' } | { readonly is: 'made'; readonly made: PersonInvited }

export function AccountsPanel({ subject }: { subject: string }) {
  const { data, error, refetch } = useQuery(accessQueries.personAccounts(subject))
  const [open, setOpen] = useState<Open | null>(null)
  const why = useWhyNot('create', 'person-account')
  const shown = data?.items.filter(({ state }) => state !== 'ended')
  const button = (is: 'patient' | 'caregiver', label: string) => (
    <Button variant="default" mih={44} disabled={why !== null} title={why ?? undefined} onClick={() => setOpen({ is })}>
      {label}
    </Button>
  )
  return (
    <Section title="Patient and caregivers">
      {error !== null && data === undefined ? (
        <Failed what="The accounts could not be read" error={error} onRetry={() => void refetch()} />
      ) : null}
      {shown?.length === 0 ? <Text c="dimmed">Nobody has an account yet.</Text> : null}
      {shown === undefined || shown.length === 0 ? null : (
        <ul className={rows.rows} aria-label="Accounts">
          {shown.map((each) => (
            <Row key={each.id} subject={subject} account={each} />
          ))}
        </ul>
      )}
      <div className={rows.acts} style={{ marginTop: '0.5rem' }}>
        {button('patient', 'Invite the patient')}
        {button('caregiver', 'Invite a caregiver')}
      </div>
      <Dialog
        title={open?.is === 'made' ? 'Give this code to them' : 'Invite by a code on paper'}
        opened={open !== null}
        onClose={() => setOpen(null)}
      >
        {open?.is === 'patient' || open?.is === 'caregiver' ? (
          <InviteForm
            subject={subject}
            kind={open.is}
            onEnd={() => setOpen(null)}
            onMade={(made) => setOpen({ is: 'made', made })}
          />
        ) : null}
        {open?.is === 'made' ? <Code made={open.made} onEnd={() => setOpen(null)} /> : null}
      </Dialog>
    </Section>
  )
}

function Row({ subject, account }: { subject: string; account: PersonAccount }) {
  const { id, kind, name, relationship, state, createdAt } = account
  const client = useQueryClient()
  const why = useWhyNot('delete', 'person-account')
  const who = kind === 'patient' ? 'The patient' : (name ?? 'A caregiver')
  const end = useMutation({
    mutationFn: () => call(endpoints.endPersonAccount, { params: { id: subject, account: id } }),
    onSuccess: () => client.invalidateQueries({ queryKey: ['subject', subject, 'accounts'] }),
  })
  const [sure, setSure] = useState(false)
  return (
    <li className={rows.row}>
      <div className={rows.what}>
        <strong>{who}</strong>
        {relationship === null ? '' : `, ${relationships[relationship].toLowerCase()}`}
        <div className={rows.soft}>
          {stateWords[state]} · <Age at={createdAt} />
        </div>
        <Refusal error={end.error} />
      </div>
      <Button
        variant="default"
        mih={44}
        disabled={why !== null}
        title={why ?? undefined}
        loading={end.isPending}
        aria-label={`${sure ? 'Yes, end it:' : 'End'} the account of ${who}`}
        onClick={() => (sure ? end.mutate() : setSure(true))}
      >
        {sure ? 'Yes, end it' : 'End'}
      </Button>
    </li>
  )
}

interface InviteFormProps {
  readonly subject: string
  readonly kind: 'patient' | 'caregiver'
  readonly onEnd: () => void
  readonly onMade: (made: PersonInvited) => void
}

function InviteForm({ subject, kind, onEnd, onMade }: InviteFormProps) {
  const client = useQueryClient()
  const why = useOffline()
  const invite = useMutation({
    mutationFn: (body: InvitePerson) => call(endpoints.invitePerson, { params: { id: subject }, body }),
    onSuccess: async (made) => {
      await client.invalidateQueries({ queryKey: ['subject', subject, 'accounts'] })
      onMade(made)
    },
  })
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault()
    const relationship = String(new FormData(event.currentTarget).get('relationship') ?? '') as Relationship
    invite.mutate(kind === 'patient' ? { kind } : { kind, relationship })
  }
  return (
    <form onSubmit={submit}>
      <Text mb="md">
        {kind === 'patient'
          ? 'The patient sees their own readings. They need the code and their date of birth.'
          : 'A caregiver needs the code and the patient’s date of birth, and sees nothing until the patient’s consent says what.'}
      </Text>
      {kind === 'caregiver' ? (
        <NativeSelect
          label="What they are to the patient"
          name="relationship"
          size="md"
          data={Object.entries(relationships).map(([value, label]) => ({ value, label }))}
        />
      ) : null}
      <Refusal error={invite.error} />
      <FormFoot label="Make a code" isPending={invite.isPending} onCancel={onEnd} why={why} />
    </form>
  )
}

function Code({ made, onEnd }: { made: PersonInvited; onEnd: () => void }) {
  return (
    <div className={classes.stack}>
      <Text>
        See that it is them. They open <strong>{location.host}/activate</strong> and type this code. It is shown now and
        never again, is good once, and ends {momentText(made.expiresAt, Date.now())}.
      </Text>
      <code className={classes.secret} style={{ fontSize: '1.375rem' }}>
        {made.code}
      </code>
      <div>
        <CopyButton text={made.code} what="the code" />
      </div>
      <Button mih={44} onClick={onEnd}>
        Done
      </Button>
    </div>
  )
}
