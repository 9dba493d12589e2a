/** One program: what it is for and not for, its rules with limits and people, activation and edits for whoever may. */
import type { ProgramBody } from '@careloop/contract'
import { Button, Text } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { Link, useNavigate, useParams, useSearch } from '@tanstack/react-router'
import { careQueries } from '../../api/care-queries.ts'
import { useMay } from '../../app/session.tsx'
import { Page, useTitle } from '../../parts/page.tsx'
import { Empty, Failed, Loading, NotRenewed, WithRight } from '../../parts/page-state.tsx'
import { Section } from '../../parts/section.tsx'
import { useWhyNot } from '../../parts/why-not.ts'
import { ActivateDialog } from './activate-dialog.tsx'
import classes from './programs.module.css'
import { RuleCard } from './rule-card.tsx'
import { RuleDialogs } from './rule-dialogs.tsx'
import { stateOf, stateWords } from './words.ts'

export interface ProgramSearch {
  /** The dialog that is open: `activate`, `edit:<rule code>`, `off:<rule code>`. */
  readonly panel?: string
}

export function ProgramPage() {
  useTitle('Program')
  return (
    <WithRight resource="program" what="Program">
      <Program />
    </WithRight>
  )
}

function Program() {
  const { code } = useParams({ from: '/staff/programs/$code' })
  const list = useQuery(careQueries.programs)
  const program = list.data?.programs.find((each) => each.code === code)
  if (list.isPending) return <Loading />
  if (list.data === undefined)
    return <Failed what="This program could not be read" error={list.error} onRetry={() => void list.refetch()} />
  if (program === undefined)
    return (
      <Empty title="There is no such program here">
        <Link to="/programs">To the programs</Link>
      </Empty>
    )
  return (
    <Page title={program.title} beside={<State program={program} />}>
      {list.isRefetchError ? (
        <NotRenewed error={list.error} readAt={list.dataUpdatedAt} onRetry={() => void list.refetch()} />
      ) : null}
      <Shown program={program} />
    </Page>
  )
}

function State({ program }: { program: ProgramBody }) {
  const navigate = useNavigate({ from: '/programs/$code' })
  const why = useWhyNot('act', 'program')
  const state = stateOf(program)
  return (
    <div className={classes.acts}>
      <span className={classes.state} data-state={state}>
        {stateWords[state]}
      </span>
      {state === 'active' ? null : (
        <Button
          mih={44}
          disabled={why !== null}
          title={why ?? undefined}
          onClick={() => void navigate({ search: { panel: 'activate' } })}
        >
          Activate
        </Button>
      )}
    </div>
  )
}

function Shown({ program }: { program: ProgramBody }) {
  const { panel = '' } = useSearch({ from: '/staff/programs/$code' })
  const navigate = useNavigate({ from: '/programs/$code' })
  const mayAct = useMay('act', 'program')
  const whyNotEdit = useWhyNot('update', 'rule')
  const close = () => void navigate({ search: {} })
  const open = (panel: string) => void navigate({ search: { panel } })
  return (
    <>
      <Text maw="48rem">{program.use}</Text>
      <Text maw="48rem" mt="xs" fw={600}>
        {program.notice}
      </Text>
      <Text c="dimmed" mt="xs">
        For {kindWords[program.subjectKind]}.
        {program.enrolled === undefined ? '' : ` ${program.enrolled} enrolled now.`}
      </Text>
      {program.problem === undefined ? null : <Ownerless program={program} />}
      <Section title="Rules">
        {whyNotEdit === null ? null : (
          <Text c="dimmed" mb="xs">
            Rules can be read only. {whyNotEdit}
          </Text>
        )}
        <ul className={classes.list}>
          {program.rules.map((rule) => (
            <RuleCard
              key={rule.code}
              rule={rule}
              canEdit={whyNotEdit === null && stateOf(program) !== 'available'}
              onOpen={(what) => open(`${what}:${rule.code}`)}
            />
          ))}
        </ul>
      </Section>
      {panel === 'activate' && mayAct ? <ActivateDialog program={program} onClose={close} /> : null}
      {whyNotEdit === null ? <RuleDialogs program={program} panel={panel} onClose={close} /> : null}
    </>
  )
}

const kindWords = { patient: 'people', asset: 'things', location: 'places' } as const

/** Alerts without somebody who answers: said first, with the way to mend each. */
function Ownerless({ program }: { program: ProgramBody }) {
  return (
    <Text fw={600} mt="xs" component="div">
      {program.problem}{' '}
      {program.ownerless?.map(({ enrolment, subject }, index) => (
        <Link
          key={enrolment}
          to="/subjects/$id"
          params={{ id: subject }}
          search={{ panel: `owner:${enrolment}` }}
          className={classes.link!}
        >
          {index === 0 ? 'Name one' : `another (${index + 1})`}{' '}
        </Link>
      ))}
    </Text>
  )
}
