/** Takes a subject into a program, with one named person who answers and one who answers when they do not. */
import type { EnrolmentView, NewEnrolment, ProgramBody, SubjectKind } from '@careloop/contract'
import { Alert, NativeSelect, Text } from '@mantine/core'
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { useState } from 'react'
import { careQueries } from '../../api/care-queries.ts'
import { call } from '../../api/client.ts'
import { endpoints } from '../../api/endpoints.ts'
import { Dialog } from '../../parts/dialog.tsx'
import { Failed, Loading } from '../../parts/page-state.tsx'
import { FormFoot, Refusal, refusalAt } from '../../parts/refusal.tsx'
import rows from '../../parts/rows.module.css'
import { useOffline } from '../../parts/why-not.ts'
import { type Choices, choicesFor, enrollable } from './owners.ts'

interface EnrolProps {
  readonly subject: string
  readonly kind: SubjectKind
  /** Programs that it is in now. */
  readonly open: ReadonlySet<string>
  readonly onClose: () => void
}

export function EnrolDialog(props: EnrolProps) {
  const programs = useQuery(careQueries.programs)
  const offered = enrollable(programs.data?.programs ?? [], props.kind, props.open)
  return (
    <Dialog opened title="Enrol in a program" size="lg" onClose={props.onClose}>
      {programs.isPending ? <Loading rows={3} /> : null}
      {programs.isError ? (
        <Failed what="The programs could not be read" error={programs.error} onRetry={() => void programs.refetch()} />
      ) : null}
      {programs.data !== undefined && offered.length === 0 ? (
        <Text>
          No further active program is made for this kind of subject. Whoever may activates one under{' '}
          <Link to="/programs" className={rows.link!}>
            Programs
          </Link>
          .
        </Text>
      ) : null}
      {offered.length === 0 ? null : <EnrolForm {...props} programs={offered} />}
    </Dialog>
  )
}

function EnrolForm({ subject, programs, onClose }: EnrolProps & { programs: readonly ProgramBody[] }) {
  const [code, setCode] = useState(programs.length === 1 ? programs[0]!.code : '')
  const [owner, setOwner] = useState('')
  const [backup, setBackup] = useState('')
  const [isChecked, setChecked] = useState(false)
  const program = programs.find((each) => each.code === code)
  const offline = useOffline()
  const enrol = useSaved(subject, onClose, (body: NewEnrolment) =>
    call(endpoints.enrol, { params: { id: subject }, body }),
  )
  return (
    <form
      noValidate
      onSubmit={(event) => {
        event.preventDefault()
        setChecked(true)
        if (code !== '' && owner !== '') enrol.mutate({ program: code, owner, ...(backup === '' ? {} : { backup }) })
      }}
    >
      <NativeSelect
        label="Program"
        required
        value={code}
        onChange={(event) => setCode(event.currentTarget.value)}
        data={[
          { value: '', label: 'Choose a program' },
          ...programs.map(({ code, title }) => ({ value: code, label: title })),
        ]}
        error={(isChecked && code === '' ? 'Choose a program.' : undefined) ?? refusalAt(enrol.error, '/body/program')}
      />
      {program === undefined ? null : (
        <Alert color="gray" my="sm" title={program.use} icon={null}>
          {program.notice}
        </Alert>
      )}
      <PeopleFields
        {...{ program, owner, setOwner, backup, setBackup, error: enrol.error }}
        missing={isChecked && owner === '' ? 'Choose who answers its alerts.' : undefined}
      />
      <Refusal error={enrol.error} shown={['/body/program', '/body/owner', '/body/backup']} />
      <FormFoot label="Enrol" isPending={enrol.isPending} onCancel={onClose} why={offline} />
    </form>
  )
}

interface PeopleProps {
  readonly program: ProgramBody | undefined
  readonly owner: string
  readonly setOwner: (id: string) => void
  readonly backup: string
  readonly setBackup: (id: string) => void
  readonly missing: string | undefined
  readonly error: Error | null
}

function PeopleFields({ program, owner, setOwner, backup, setBackup, missing, error }: PeopleProps) {
  const colleagues = useQuery(careQueries.colleagues).data?.items ?? []
  return (
    <>
      <NativeSelect
        mt="sm"
        label="Owner"
        description="Its alerts become tasks of this person."
        required
        value={owner}
        onChange={(event) => setOwner(event.currentTarget.value)}
        data={optionsOf(choicesFor(colleagues, program, 'ownerRole', backup), 'Choose the owner')}
        error={missing ?? refusalAt(error, '/body/owner')}
      />
      <NativeSelect
        mt="sm"
        label="Backup"
        description="Told when the owner has not acted in time."
        value={backup}
        onChange={(event) => setBackup(event.currentTarget.value)}
        data={optionsOf(choicesFor(colleagues, program, 'backupRole', owner), 'Everybody with the backup role')}
        error={refusalAt(error, '/body/backup')}
      />
    </>
  )
}

const optionsOf = ({ fitting, others }: Choices, none: string) => [
  { value: '', label: none },
  ...(fitting.length === 0 ? [] : [{ group: 'With the role of this program', items: [...fitting] }]),
  ...(others.length === 0 ? [] : [{ group: 'Others', items: [...others] }]),
]

/** Gives an open enrolment another owner or backup. */
export function ChangeOwnerDialog({ of, title, onClose }: { of: EnrolmentView; title: string; onClose: () => void }) {
  const program = useQuery(careQueries.programs).data?.programs.find(({ code }) => code === of.program)
  const [owner, setOwner] = useState(of.owner)
  const [backup, setBackup] = useState(of.backup ?? '')
  const offline = useOffline()
  const save = useSaved(of.subject, onClose, () =>
    call(endpoints.updateEnrolment, {
      params: { id: of.id },
      body: { owner, backup: backup === '' ? null : backup },
    }),
  )
  return (
    <Dialog opened title={`Who answers: ${title}`} onClose={onClose}>
      <form
        noValidate
        onSubmit={(event) => {
          event.preventDefault()
          if (owner !== '') save.mutate(undefined)
        }}
      >
        <Text c="dimmed">Open tasks stay with whom they are; new alerts go to the new owner.</Text>
        <PeopleFields
          {...{ program, owner, setOwner, backup, setBackup, error: save.error }}
          missing={owner === '' ? 'Choose who answers its alerts.' : undefined}
        />
        <Refusal error={save.error} shown={['/body/owner', '/body/backup']} />
        <FormFoot label="Save" isPending={save.isPending} onCancel={onClose} why={offline} />
      </form>
    </Dialog>
  )
}

export function EndEnrolmentDialog({ of, title, onClose }: { of: EnrolmentView; title: string; onClose: () => void }) {
  const offline = useOffline()
  const end = useSaved(of.subject, onClose, () => call(endpoints.endEnrolment, { params: { id: of.id }, body: {} }))
  return (
    <Dialog opened title={`End: ${title}`} onClose={onClose}>
      <form
        onSubmit={(event) => {
          event.preventDefault()
          end.mutate(undefined)
        }}
      >
        <Text>
          Its rules watch no longer from now on, and nobody is told of what they would have seen. Open tasks stay until
          somebody completes them.
        </Text>
        <Refusal error={end.error} />
        <FormFoot label="End the enrolment" isPending={end.isPending} onCancel={onClose} why={offline} />
      </form>
    </Dialog>
  )
}

function useSaved<Body>(subject: string, onSaved: () => void, save: (body: Body) => Promise<EnrolmentView>) {
  const client = useQueryClient()
  return useMutation({
    mutationFn: save,
    async onSuccess() {
      await Promise.all(['enrolments', 'rules'].map((key) => client.invalidateQueries({ queryKey: [key, subject] })))
      onSaved()
    },
  })
}
