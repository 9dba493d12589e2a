/** What an administrator does with accounts, each in a dialog that says what follows from it. */
import type { Role, User } from '@careloop/contract'
import { Button, CopyButton, Text, TextInput } from '@mantine/core'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { type FormEvent, useState } from 'react'
import { call } from '../../api/client.ts'
import { endpoints } from '../../api/endpoints.ts'
import { Dialog } from '../../parts/dialog.tsx'
import { FormFoot, Refusal, refusalAt } from '../../parts/refusal.tsx'
import { useOffline } from '../../parts/why-not.ts'
import classes from '../account/account.module.css'
import { RolesInput } from './roles-input.tsx'

export type PersonAct =
  | { readonly do: 'add' }
  | { readonly do: 'roles' | 'password' | 'second-factor' | 'end'; readonly person: User }

/** Shown once, after the act. */
interface Given {
  readonly to: string
  readonly password: string
}

export function PeopleDialogs({ act, onEnd }: { act: PersonAct | null; onEnd: () => void }) {
  const [given, setGiven] = useState<Given | null>(null)
  const end = () => {
    setGiven(null)
    onEnd()
  }
  const title = given === null ? (act === null ? '' : titleOf(act)) : 'Hand this password over'
  return (
    <Dialog title={title} opened={act !== null} onClose={end}>
      {given !== null ? <Password given={given} onEnd={end} /> : null}
      {given === null && act?.do === 'add' ? <AddForm onEnd={end} onGiven={setGiven} /> : null}
      {given === null && act?.do === 'roles' ? <RolesForm person={act.person} onEnd={end} /> : null}
      {given === null && act !== null && (act.do === 'password' || act.do === 'second-factor' || act.do === 'end') ? (
        <Confirm act={act.do} person={act.person} onEnd={end} onGiven={setGiven} />
      ) : null}
    </Dialog>
  )
}

function titleOf(act: PersonAct): string {
  if (act.do === 'add') return 'Add somebody'
  const { displayName } = act.person
  const titles = {
    roles: `Roles of ${displayName}`,
    password: `New password for ${displayName}`,
    'second-factor': `Reset the second factor of ${displayName}`,
    end: `End the membership of ${displayName}`,
  }
  return titles[act.do]
}

const usePeopleChange = <T, A>(fn: (asked: A) => Promise<T>, onDone: (answer: T, asked: A) => void) => {
  const client = useQueryClient()
  return useMutation({
    mutationFn: fn,
    onSuccess: async (answer: T, asked: A) => {
      await client.invalidateQueries({
        predicate: ({ queryKey }) => ['people', 'colleagues'].includes(String(queryKey[0])),
      })
      onDone(answer, asked)
    },
  })
}

function AddForm({ onEnd, onGiven }: { onEnd: () => void; onGiven: (given: Given) => void }) {
  const [roles, setRoles] = useState<Role[]>([])
  const why = useOffline()
  const add = usePeopleChange(
    (body: { email: string; displayName: string; roles: Role[] }) => call(endpoints.addPerson, { body }),
    ({ password }, { displayName }) => onGiven({ to: displayName, password: password ?? '' }),
  )
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault()
    const form = new FormData(event.currentTarget)
    const field = (name: string) => String(form.get(name) ?? '').trim()
    add.mutate({ displayName: field('displayName'), email: field('email'), roles })
  }
  return (
    <form onSubmit={submit}>
      <TextInput label="Name" name="displayName" required maxLength={200} size="md" autoComplete="off" />
      <TextInput
        label="E-mail"
        description="They sign in with it."
        name="email"
        type="email"
        required
        size="md"
        mt="md"
        autoComplete="off"
        error={refusalAt(add.error, '/body/email')}
      />
      <RolesInput value={roles} onChange={setRoles} />
      <Refusal error={add.error} shown={['/body/email']} />
      <FormFoot
        label="Add"
        isPending={add.isPending}
        onCancel={onEnd}
        why={why ?? (roles.length === 0 ? 'Choose at least one role.' : null)}
      />
    </form>
  )
}

function RolesForm({ person, onEnd }: { person: User; onEnd: () => void }) {
  const [roles, setRoles] = useState<Role[]>([...person.roles])
  const why = useOffline()
  const set = usePeopleChange(
    (wanted: Role[]) => call(endpoints.setRoles, { params: { id: person.id }, body: { roles: wanted } }),
    onEnd,
  )
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault()
    set.mutate(roles)
  }
  return (
    <form onSubmit={submit}>
      <RolesInput value={roles} onChange={setRoles} />
      <Text c="dimmed" mt="sm">
        They hold from the person's next click on. Who becomes an administrator signs in anew.
      </Text>
      <Refusal error={set.error} />
      <FormFoot
        label="Save"
        isPending={set.isPending}
        onCancel={onEnd}
        why={why ?? (roles.length === 0 ? 'Choose at least one role, or end the membership.' : null)}
      />
    </form>
  )
}

const consequences = {
  password:
    'A new password is made and shown once; the old one opens nothing any more, and their sessions end. See that it is them before you hand it over.',
  'second-factor':
    'Their app and backup codes open nothing any more, and their sessions end. See that it is them: until they set up a new app, their password alone opens their account.',
  end: 'Their sessions end and they cannot sign in. What they did stays in the record. Hand over their open tasks and enrolments first.',
} as const
const labels = { password: 'Make a new password', 'second-factor': 'Reset', end: 'End the membership' } as const

interface ConfirmProps {
  readonly act: keyof typeof consequences
  readonly person: User
  readonly onEnd: () => void
  readonly onGiven: (given: Given) => void
}

function Confirm({ act, person, onEnd, onGiven }: ConfirmProps) {
  const why = useOffline()
  const params = { id: person.id }
  const go = usePeopleChange(
    async () => {
      if (act === 'password') return (await call(endpoints.renewPassword, { params })).password
      await call(act === 'end' ? endpoints.endMembership : endpoints.resetSecondFactor, { params })
      return null
    },
    (password) => (password === null ? onEnd() : onGiven({ to: person.displayName, password })),
  )
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault()
    go.mutate(undefined)
  }
  return (
    <form onSubmit={submit}>
      <Text>{consequences[act]}</Text>
      <Refusal error={go.error} />
      <FormFoot label={labels[act]} isPending={go.isPending} onCancel={onEnd} why={why} />
    </form>
  )
}

function Password({ given, onEnd }: { given: Given; onEnd: () => void }) {
  return (
    <div className={classes.stack}>
      <Text>
        The password of {given.to} is shown now and never again. Hand it over in person; they change it on their account
        page.
      </Text>
      <code className={classes.secret}>{given.password}</code>
      <CopyButton value={given.password}>
        {({ copied, copy }) => (
          <Button variant="default" mih={44} onClick={copy}>
            {copied ? 'Copied' : 'Copy'}
          </Button>
        )}
      </CopyButton>
      <Button mih={44} onClick={onEnd}>
        Done
      </Button>
    </div>
  )
}
