/** Programs that a subject is in, who answers for each, and those it was in. */
import type { EnrolmentView, SubjectKind } from '@careloop/contract'
import { Button, Text } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { careQueries } from '../../api/care-queries.ts'
import { useNow } from '../../app/clock.ts'
import { useMay } from '../../app/session.tsx'
import { Failed, Loading } from '../../parts/page-state.tsx'
import rows from '../../parts/rows.module.css'
import { Section } from '../../parts/section.tsx'
import { useStaffName } from '../../parts/staff-name.tsx'
import { useWhyNot } from '../../parts/why-not.ts'
import { countText, momentText } from '../../parts/words.ts'
import { usePanel } from '../subject/use-panel.ts'
import { ChangeOwnerDialog, EndEnrolmentDialog, EnrolDialog } from './enrol-dialog.tsx'

export function EnrolmentsPanel({ subject, kind }: { subject: string; kind: SubjectKind }) {
  const mayRead = useMay('read', 'enrolment')
  const list = useQuery({ ...careQueries.enrolments(subject), enabled: mayRead })
  const { open: openPanel } = usePanel()
  const whyNotNew = useWhyNot('create', 'enrolment')
  const now = useNow()
  if (!mayRead) return null
  const open = list.data?.items.filter(({ to }) => to === null || to > now) ?? []
  const past = list.data?.items.filter(({ to }) => to !== null && to <= now) ?? []
  const enrolButton = (
    <Button
      variant="default"
      mih={44}
      disabled={whyNotNew !== null}
      title={whyNotNew ?? undefined}
      onClick={() => openPanel('enrol')}
    >
      Enrol in a program
    </Button>
  )
  return (
    <Section title="Programs" beside={enrolButton}>
      {list.isPending ? <Loading rows={2} /> : null}
      {list.data === undefined && list.isError ? (
        <Failed what="The programs could not be read" error={list.error} onRetry={() => void list.refetch()} />
      ) : null}
      {list.data !== undefined && open.length === 0 ? (
        <Text c="dimmed">In no program: readings are kept and shown, and nobody is told of them.</Text>
      ) : null}
      <ul className={rows.rows} hidden={open.length === 0}>
        {open.map((each) => (
          <EnrolmentRow key={each.id} each={each} />
        ))}
      </ul>
      {past.length === 0 ? null : <Past past={past} />}
      <Dialogs {...{ subject, kind, open }} />
    </Section>
  )
}

function useTitleOf(): (code: string) => string {
  const programs = useQuery(careQueries.programs).data?.programs
  return (code) => programs?.find((each) => each.code === code)?.title ?? code
}

function EnrolmentRow({ each }: { each: EnrolmentView }) {
  const now = useNow()
  const nameOf = useStaffName()
  const titleOf = useTitleOf()
  const { open } = usePanel()
  const why = useWhyNot('update', 'enrolment')
  const title = titleOf(each.program)
  return (
    <li className={rows.row}>
      <div className={rows.what}>
        <strong>{title}</strong>
        <div className={rows.soft}>
          Owner {nameOf(each.owner)}, backup {each.backup === null ? 'everybody with the role' : nameOf(each.backup)},
          since {momentText(each.from, now)}
          {each.to === null ? '' : `, until ${momentText(each.to, now)}`}
        </div>
      </div>
      {why === null ? (
        <div className={rows.acts}>
          <Button
            variant="default"
            mih={44}
            aria-label={`Change owner: ${title}`}
            onClick={() => open(`owner:${each.id}`)}
          >
            Change owner
          </Button>
          <Button variant="subtle" mih={44} aria-label={`End: ${title}`} onClick={() => open(`end:${each.id}`)}>
            End
          </Button>
        </div>
      ) : null}
    </li>
  )
}

function Past({ past }: { past: readonly EnrolmentView[] }) {
  const now = useNow()
  const titleOf = useTitleOf()
  return (
    <details>
      <summary>{countText(past.length, 'earlier enrolment')}</summary>
      <ul className={rows.rows}>
        {past.map((each) => (
          <li key={each.id} className={rows.row}>
            {titleOf(each.program)}, {momentText(each.from, now)} to {momentText(each.to!, now)}
          </li>
        ))}
      </ul>
    </details>
  )
}

interface DialogsProps {
  readonly subject: string
  readonly kind: SubjectKind
  readonly open: readonly EnrolmentView[]
}

function Dialogs({ subject, kind, open }: DialogsProps) {
  const { panel = '', close } = usePanel()
  const titleOf = useTitleOf()
  const mayCreate = useMay('create', 'enrolment')
  const mayUpdate = useMay('update', 'enrolment')
  const [what, id] = panel.split(':')
  const of = open.find((each) => each.id === id)
  if (what === 'enrol' && mayCreate)
    return <EnrolDialog {...{ subject, kind }} open={new Set(open.map(({ program }) => program))} onClose={close} />
  if (of === undefined || !mayUpdate) return null
  if (what === 'owner') return <ChangeOwnerDialog of={of} title={titleOf(of.program)} onClose={close} />
  return what === 'end' ? <EndEnrolmentDialog of={of} title={titleOf(of.program)} onClose={close} /> : null
}
