/** One subject: what is known now, with its age, and how it went. */
import { shownUnit, signal } from '@careloop/contract'
import { SegmentedControl, Table, Text, Title } from '@mantine/core'
import { type QueryClient, useQuery } from '@tanstack/react-query'
import { useNavigate, useParams, useSearch } from '@tanstack/react-router'
import { useMemo } from 'react'
import type { Latest } from '../../api/endpoints.ts'
import { queries } from '../../api/queries.ts'
import { useNow } from '../../app/clock.ts'
import { useMay } from '../../app/session.tsx'
import { Page, useTitle } from '../../parts/page.tsx'
import { Empty, Failed, Loading, NotRenewed, WithRight } from '../../parts/page-state.tsx'
import { Plot } from '../../parts/plot/plot.tsx'
import { momentText, spanText } from '../../parts/words.ts'
import { chartOf, valueText } from './chart.ts'
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
  const { signals } = latest.data
  if (signals.length === 0) return empty
  const chosen = signals.find((each) => each.signal === asked) ?? signals[0]!
  return (
    <>
      {latest.isRefetchError ? (
        <NotRenewed error={latest.error} readAt={latest.dataUpdatedAt} onRetry={() => void latest.refetch()} />
      ) : null}
      <Now signals={signals} chosen={chosen.signal} readAt={latest.dataUpdatedAt} />
      <Course subject={subject} code={chosen.signal} unit={shownUnit(chosen.unit)} />
    </>
  )
}

type LatestSignal = Latest['signals'][number]

/** Tiles: a stale value looks stale, says so, and says its age; it is never shown as what is now. */
function Now({ signals, chosen, readAt }: { signals: readonly LatestSignal[]; chosen: string; readAt: number }) {
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
          data-state={each.state}
          aria-pressed={each.signal === chosen}
          onClick={() => void navigate({ search: (before) => ({ ...before, signal: each.signal }) })}
        >
          <span className={classes.label}>{labelOf(each.signal)}</span>
          <span className={classes.value}>
            {valueText(each.last.value, each.signal)} <small>{shownUnit(each.unit)}</small>
          </span>
          <span className={classes.age}>
            {spanText(each.ageMs + passed)} old{stateWords[each.state]}
            {each.gap === null ? '' : `, ${gapWords[each.gap.reason]}`}
          </span>
        </button>
      ))}
    </section>
  )
}

const labelOf = (code: string) => signal(code)?.label ?? code
const stateWords = { fresh: '', stale: ' · stale', 'no-data': ' · no data since' } as const
const gapWords = { 'no-data': 'nothing came', offline: 'device offline', deaf: 'Careloop did not hear' } as const

const spans = [
  { value: '6', label: '6 h' },
  { value: '24', label: '24 h' },
  { value: '168', label: '7 d' },
  { value: '720', label: '30 d' },
]

function Course({ subject, code, unit }: { subject: string; code: string; unit: string }) {
  const { hours = 24 } = useSearch({ from: '/staff/subjects/$id' })
  const navigate = useNavigate({ from: '/subjects/$id' })
  const series = useQuery(queries.series(subject, code, hours))
  const model = useMemo(
    () => (series.data === undefined ? null : chartOf(series.data, code, labelOf(code), unit)),
    [series.data, code, unit],
  )
  return (
    <section className={classes.course} aria-labelledby="course">
      <div className={classes.courseTop}>
        <Title order={2} id="course">
          {labelOf(code)}
        </Title>
        <SegmentedControl
          aria-label="Span"
          data={spans}
          value={String(hours)}
          onChange={(value) => void navigate({ search: (before) => ({ ...before, hours: Number(value) }) })}
        />
      </div>
      {series.isPending ? <Loading rows={1} height={260} /> : null}
      {series.isError && model === null ? (
        <Failed what="The chart could not be read" error={series.error} onRetry={() => void series.refetch()} />
      ) : null}
      {model === null ? null : (
        <>
          <Plot model={model} height={260} label={`${labelOf(code)} over the last ${spanText(hours * 3_600_000)}`} />
          <AsTable
            points={model.lines.flatMap((line) => line.points)}
            unit={unit}
            decimals={model.lines[0]?.decimals ?? 0}
          />
        </>
      )}
    </section>
  )
}

const tableRows = 200

function AsTable({
  points,
  unit,
  decimals,
}: {
  points: readonly { at: number; value: number | null }[]
  unit: string
  decimals: number
}) {
  const now = useNow()
  const shown = points.filter((point) => point.value !== null).toReversed()
  return (
    <details>
      <summary>As table</summary>
      <Table verticalSpacing={4} maw={420} aria-label="Readings, newest first">
        <Table.Thead>
          <Table.Tr>
            <Table.Th>Measured</Table.Th>
            <Table.Th className="numbers">Value</Table.Th>
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {shown.slice(0, tableRows).map((point) => (
            <Table.Tr key={point.at}>
              <Table.Td>{momentText(point.at, now, true)}</Table.Td>
              <Table.Td className="numbers">
                {point.value!.toFixed(decimals)} {unit}
              </Table.Td>
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
      {shown.length > tableRows ? (
        <Text c="dimmed">
          The newest {tableRows} of {shown.length}. Choose a shorter span for the rest.
        </Text>
      ) : null}
    </details>
  )
}
