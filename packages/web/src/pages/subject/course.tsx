/** How one signal went: the chart with its limits, alerts and gaps, the span in the URL, the same numbers as a table. */
import type { SubjectAlerts, SubjectRules } from '@careloop/contract'
import { signal } from '@careloop/contract'
import { Button, SegmentedControl, Title } from '@mantine/core'
import { keepPreviousData, useQueries, useQuery } from '@tanstack/react-query'
import { useNavigate, useSearch } from '@tanstack/react-router'
import { useMemo } from 'react'
import { type ChartSpan, queries } from '../../api/queries.ts'
import { useNow } from '../../app/clock.ts'
import { Failed, Loading } from '../../parts/page-state.tsx'
import { AsTable } from '../../parts/plot/as-table.tsx'
import { Plot } from '../../parts/plot/plot.tsx'
import { momentText, spanText } from '../../parts/words.ts'
import { type Asked, chartOf } from './chart.ts'
import type { ShownSignal } from './shown-signals.ts'
import classes from './subject.module.css'

const spans = [
  { value: '1', label: '1 h' },
  { value: '6', label: '6 h' },
  { value: '24', label: '24 h' },
  { value: '168', label: '7 d' },
  { value: '720', label: '30 d' },
]
export const usualHours = 24

interface CourseProps {
  readonly subject: string
  readonly shown: ShownSignal
  readonly rules: SubjectRules['rules']
  readonly alerts: SubjectAlerts['items']
  /** The subject has a door that tells when it is open. */
  readonly hasDoor: boolean
}

export function Course({ subject, shown, rules, alerts, hasDoor }: CourseProps) {
  const { hours = usualHours, from, to } = useSearch({ from: '/staff/subjects/$id' })
  const navigate = useNavigate({ from: '/subjects/$id' })
  const zoomed = from !== undefined && to !== undefined ? { from, to } : undefined
  const { answers, states, isThere, error, again } = useAnswers(subject, shown, zoomed ?? { hours }, hasDoor)
  const model = useMemo(
    () => (isThere ? chartOf(answers, shown.codes, shown.unit, { rules, alerts, states }) : null),
    [isThere, answers, states, shown.codes, shown.unit, rules, alerts],
  )
  const back = () => void navigate({ search: ({ from: _from, to: _to, ...before }) => before })
  return (
    <section className={classes.course} aria-labelledby="course">
      <div className={classes.courseTop}>
        <Title order={2} id="course">
          {shown.label}
        </Title>
        {zoomed === undefined ? null : <Zoomed {...zoomed} onBack={back} />}
        <SegmentedControl
          aria-label="Span"
          data={spans}
          value={zoomed === undefined ? String(hours) : ''}
          onChange={(value) =>
            void navigate({ search: ({ from: _from, to: _to, ...before }) => ({ ...before, hours: Number(value) }) })
          }
        />
      </div>
      {!isThere && error === null ? <Loading rows={1} height={260} /> : null}
      {error === null || isThere ? null : <Failed what="The chart could not be read" error={error} onRetry={again} />}
      {model === null ? null : (
        <>
          <Plot
            model={model}
            height={280}
            label={`${shown.label}${zoomed === undefined ? ` over the last ${spanText(hours * 3_600_000)}` : ', zoomed'}`}
            onZoom={(from, to) => void navigate({ search: (before) => ({ ...before, from, to }) })}
            onBack={back}
          />
          <AsTable model={model} />
        </>
      )}
    </section>
  )
}

function Zoomed({ from, to, onBack }: { from: number; to: number; onBack: () => void }) {
  const now = useNow()
  const seconds = to - from < 3_600_000
  return (
    <span>
      {momentText(from, now, seconds)} to {momentText(to, now, seconds)}{' '}
      <Button variant="default" size="xs" onClick={onBack}>
        Whole span
      </Button>
    </span>
  )
}

/** The chart stays as it is while another span is read: nothing jumps. */
function useAnswers(subject: string, shown: ShownSignal, span: ChartSpan, hasDoor: boolean) {
  const series = useQueries({
    queries: shown.codes.map((code) => ({
      ...queries.series(subject, code, span),
      placeholderData: keepPreviousData,
    })),
    combine: (all) => ({
      answers: all.flatMap(({ data }): Asked[] => (data === undefined ? [] : [data])),
      error: all.find(({ error }) => error !== null)?.error ?? null,
      again: () => void Promise.all(all.map((each) => each.refetch())),
    }),
  })
  // A door beside a temperature explains it.
  const isBesideDoor = hasDoor && signal(shown.code)?.dimension === 'temperature'
  const door = useQuery({ ...queries.series(subject, 'door-open', span), enabled: isBesideDoor })
  const states = useMemo(() => (isBesideDoor && door.data !== undefined ? [door.data] : []), [isBesideDoor, door.data])
  return { ...series, states, isThere: series.answers.length === shown.codes.length }
}
