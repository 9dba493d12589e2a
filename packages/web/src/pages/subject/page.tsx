/** One subject: what is known now, with its age, and how it went. */
import { SegmentedControl, Table, Text, Title } from '@mantine/core'
import { type QueryClient, useQueries, useQuery } from '@tanstack/react-query'
import { useNavigate, useParams, useSearch } from '@tanstack/react-router'
import { useMemo } from 'react'
import { queries } from '../../api/queries.ts'
import { useNow } from '../../app/clock.ts'
import { useMay } from '../../app/session.tsx'
import { Page, useTitle } from '../../parts/page.tsx'
import { Empty, Failed, Loading, NotRenewed, WithRight } from '../../parts/page-state.tsx'
import { notesAt, type PlotModel, readTimesOf, valuesAt } from '../../parts/plot/model.ts'
import { Plot } from '../../parts/plot/plot.tsx'
import { momentText, spanText } from '../../parts/words.ts'
import { chartOf } from './chart.ts'
import { type ShownSignal, shownSignals, stateAfter } from './shown-signals.ts'
import classes from './subject.module.css'

const empty = (
  <Empty title="No readings yet">
    Readings appear here when a device that this subject wears has sent some. Look at Devices whether one is assigned
    and connected.
  </Empty>
)

export interface SubjectSearch {
  /** Hours back from now that the chart shows. */
  readonly hours?: number
  readonly signal?: string
}

export const loadSubject = (client: QueryClient, id: string): void => {
  void client.prefetchQuery(queries.subject(id))
  void client.prefetchQuery(queries.latest(id))
}

export function SubjectPage() {
  useTitle('Subject')
  return (
    <WithRight resource="subject" what="Subject">
      <Subject />
    </WithRight>
  )
}

function Subject() {
  const { id } = useParams({ from: '/staff/subjects/$id' })
  const subject = useQuery(queries.subject(id))
  if (subject.isPending) return <Loading />
  if (subject.data === undefined)
    return (
      <Failed what="This subject could not be read" error={subject.error!} onRetry={() => void subject.refetch()} />
    )
  const { display, birthDate, kind, timeZone } = subject.data
  return (
    <Page
      title={display}
      beside={
        <Text c="dimmed">
          {kind}
          {birthDate === undefined ? '' : `, born ${birthDate}`}, {timeZone}
        </Text>
      }
    >
      <Readings subject={id} />
    </Page>
  )
}

function Readings({ subject }: { subject: string }) {
  const mayRead = useMay('read', 'series')
  const latest = useQuery({ ...queries.latest(subject), enabled: mayRead })
  const { signal: asked } = useSearch({ from: '/staff/subjects/$id' })
  if (!mayRead) return <Text>Your role does not include readings. An administrator can change that.</Text>
  if (latest.isPending) return <Loading rows={3} />
  if (latest.data === undefined)
    return <Failed what="The readings could not be read" error={latest.error!} onRetry={() => void latest.refetch()} />
  const signals = shownSignals(latest.data.signals)
  if (signals.length === 0) return empty
  const chosen = signals.find((each) => each.code === asked) ?? signals[0]!
  return (
    <>
      {latest.isRefetchError ? (
        <NotRenewed error={latest.error} readAt={latest.dataUpdatedAt} onRetry={() => void latest.refetch()} />
      ) : null}
      <Now signals={signals} chosen={chosen.code} readAt={latest.dataUpdatedAt} />
      <Course key={chosen.code} subject={subject} shown={chosen} />
    </>
  )
}

/** Tiles: a stale value looks stale, says so, and says its age; it is never shown as what is now. */
function Now({ signals, chosen, readAt }: { signals: readonly ShownSignal[]; chosen: string; readAt: number }) {
  const navigate = useNavigate({ from: '/subjects/$id' })
  useNow()
  const passed = Math.max(0, Date.now() - readAt)
  return (
    <section className={classes.tiles} aria-label="Newest values; choose one for its chart">
      {signals.map((each) => (
        <button
          key={`${each.series}`}
          type="button"
          className={classes.tile}
          data-state={stateAfter(each, passed)}
          aria-pressed={each.code === chosen}
          onClick={() => void navigate({ search: (before) => ({ ...before, signal: each.code }) })}
        >
          <span className={classes.label}>{each.label}</span>
          <span className={classes.value}>
            {each.text} <small>{each.unit}</small>
          </span>
          <span className={classes.age}>{ageWords(each, passed)}</span>
        </button>
      ))}
    </section>
  )
}

function ageWords(shown: ShownSignal, passed: number): string {
  const age = `${spanText(shown.ageMs + passed)} old${stateWords[stateAfter(shown, passed)]}`
  const gap = shown.gap === null ? '' : gapWords[shown.gap.reason]
  return [shown.isTimeKnown ? age : '', shown.oddities, gap].filter((words) => words !== '').join(', ')
}

const stateWords = { fresh: '', stale: ' · stale', 'no-data': ' · no data since' } as const
const gapWords = { 'no-data': 'nothing came', offline: 'device offline', deaf: 'Careloop did not hear' } as const

const spans = [
  { value: '6', label: '6 h' },
  { value: '24', label: '24 h' },
  { value: '168', label: '7 d' },
  { value: '720', label: '30 d' },
]

function Course({ subject, shown }: { subject: string; shown: ShownSignal }) {
  const { hours = 24 } = useSearch({ from: '/staff/subjects/$id' })
  const navigate = useNavigate({ from: '/subjects/$id' })
  const series = useQueries({
    queries: shown.codes.map((code) => queries.series(subject, code, hours)),
    combine: (all) => ({
      answers: all.flatMap(({ data }) => (data === undefined ? [] : [data])),
      error: all.find(({ error }) => error !== null)?.error ?? null,
      again: () => void Promise.all(all.map((each) => each.refetch())),
    }),
  })
  const isThere = series.answers.length === shown.codes.length
  const model = useMemo(
    () => (isThere ? chartOf(series.answers, shown.codes, shown.unit) : null),
    [isThere, series.answers, shown.codes, shown.unit],
  )
  return (
    <section className={classes.course} aria-labelledby="course">
      <div className={classes.courseTop}>
        <Title order={2} id="course">
          {shown.label}
        </Title>
        <SegmentedControl
          aria-label="Span"
          data={spans}
          value={String(hours)}
          onChange={(value) => void navigate({ search: (before) => ({ ...before, hours: Number(value) }) })}
        />
      </div>
      {!isThere && series.error === null ? <Loading rows={1} height={260} /> : null}
      {series.error === null ? null : (
        <Failed what="The chart could not be read" error={series.error} onRetry={series.again} />
      )}
      {model === null ? null : (
        <>
          <Plot model={model} height={260} label={`${shown.label} over the last ${spanText(hours * 3_600_000)}`} />
          <AsTable model={model} />
        </>
      )}
    </section>
  )
}

const tableRows = 200

/** Each time once, with what every line has then. */
function AsTable({ model }: { model: PlotModel }) {
  const now = useNow()
  const times = readTimesOf(model).toReversed()
  return (
    <details>
      <summary>As table</summary>
      <Table verticalSpacing={4} maw={480} aria-label="Readings, newest first">
        <Table.Thead>
          <Table.Tr>
            <Table.Th>Measured</Table.Th>
            <Table.Th className="numbers">Value</Table.Th>
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {times.slice(0, tableRows).map((at) => (
            <Table.Tr key={at}>
              <Table.Td>{momentText(at, now, true)}</Table.Td>
              <Table.Td className="numbers">
                {valuesAt(model, at)}
                {notesAt(model, at) === '' ? null : <Text c="dimmed">{notesAt(model, at)}</Text>}
              </Table.Td>
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
      {times.length > tableRows ? (
        <Text c="dimmed">
          The newest {tableRows} of {times.length}. Choose a shorter span for the rest.
        </Text>
      ) : null}
    </details>
  )
}
