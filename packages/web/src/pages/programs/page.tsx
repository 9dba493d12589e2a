/** Programs: what each is for, whether it watches, how many are in it. */
import type { ProgramBody } from '@careloop/contract'
import { Text, Title } from '@mantine/core'
import { type QueryClient, useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { careQueries } from '../../api/care-queries.ts'
import { Page, useTitle } from '../../parts/page.tsx'
import { Empty, Failed, Loading, NotRenewed, WithRight } from '../../parts/page-state.tsx'
import { countText } from '../../parts/words.ts'
import classes from './programs.module.css'
import { stateOf, stateWords } from './words.ts'

const empty = (
  <Empty title="No program is installed">
    Programs are YAML files in the folder programs of this Careloop. Ask whoever runs it to put one there.
  </Empty>
)

export const loadPrograms = (client: QueryClient): void => void client.prefetchQuery(careQueries.programs)

export function ProgramsPage() {
  useTitle('Programs')
  return (
    <WithRight resource="program" what="Programs">
      <Programs />
    </WithRight>
  )
}

function Programs() {
  const list = useQuery(careQueries.programs)
  const programs = list.data?.programs ?? []
  const active = programs.filter((each) => stateOf(each) === 'active').length
  return (
    <Page
      title="Programs"
      beside={
        <Text c="dimmed">
          {list.data === undefined ? null : `${countText(programs.length, 'program')}, ${active} active`}
        </Text>
      }
    >
      {list.isPending ? <Loading rows={2} height={120} /> : null}
      {list.isError && list.data === undefined ? (
        <Failed
          what="The programs could not be read"
          still="Rules that are active go on watching."
          error={list.error}
          onRetry={() => void list.refetch()}
        />
      ) : null}
      {list.isRefetchError ? (
        <NotRenewed error={list.error} readAt={list.dataUpdatedAt} onRetry={() => void list.refetch()} />
      ) : null}
      {list.data !== undefined && programs.length === 0 ? empty : null}
      <ul className={classes.list}>
        {programs.map((program) => (
          <ProgramCard key={program.code} program={program} />
        ))}
      </ul>
    </Page>
  )
}

function ProgramCard({ program }: { program: ProgramBody }) {
  const state = stateOf(program)
  const problems = program.rules.filter(({ problem }) => problem !== undefined).length
  return (
    <li className={classes.card} data-state={state}>
      <div className={classes.top}>
        <Title order={2}>
          <Link to="/programs/$code" params={{ code: program.code }} className={classes.link!}>
            {program.title}
          </Link>
        </Title>
        <span className={classes.state} data-state={state}>
          {stateWords[state]}
        </span>
      </div>
      <Text>{program.use}</Text>
      <Text c="dimmed">
        {countText(program.rules.length, 'rule')}
        {program.enrolled === undefined ? '' : `, ${program.enrolled} enrolled`}
        {problems === 0 ? '' : `, ${countText(problems, 'rule')} with a problem`}
      </Text>
      {program.problem === undefined ? null : <Text fw={600}>{program.problem}</Text>}
    </li>
  )
}
