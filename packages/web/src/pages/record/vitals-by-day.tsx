/** Vital signs by civil day of the patient: how one measure went, and each day with what was measured on it. */

import { NativeSelect, SegmentedControl, Text } from '@mantine/core'
import type { Resource } from '@medplum/fhirtypes'
import { useQuery } from '@tanstack/react-query'
import { useMemo } from 'react'
import { recordQueries } from '../../api/record-queries.ts'
import { useNow } from '../../app/clock.ts'
import { Empty, Failed, Loading, NotRenewed } from '../../parts/page-state.tsx'
import { Plot } from '../../parts/plot/plot.tsx'
import rows from '../../parts/rows.module.css'
import { Section } from '../../parts/section.tsx'
import { countText, momentText } from '../../parts/words.ts'
import { AsFhirButton } from './as-fhir-button.tsx'
import { nameOf } from './devices.tsx'
import classes from './record.module.css'
import type { Show } from './resource-dialog.tsx'
import { type Day, daysOf, type Measure, measuresOf, plotOf, rangeText, valueText } from './vitals.ts'

const spans = [
  { value: '7', label: '7 d' },
  { value: '30', label: '30 d' },
  { value: '90', label: '90 d' },
]

interface VitalsProps {
  readonly patient: string
  readonly zone: string
  readonly days: number
  readonly measure: string | undefined
  readonly onDays: (days: number) => void
  readonly onMeasure: (code: string) => void
  readonly show: Show
}

export function VitalsPart({ patient, zone, days, measure, onDays, onMeasure, show }: VitalsProps) {
  const read = useQuery(recordQueries.vitals(patient, days))
  const measures = useMemo(() => measuresOf(read.data?.resources ?? []), [read.data])
  const chosen = measures.find(({ code }) => code === measure) ?? measures[0]
  const again = () => void read.refetch()
  return (
    <Section
      title="Vital signs by day"
      beside={
        <SegmentedControl
          aria-label="Span"
          data={spans}
          value={String(days)}
          onChange={(value) => onDays(Number(value))}
        />
      }
    >
      {read.isPending ? <Loading rows={1} height={260} /> : null}
      {read.data === undefined && read.isError ? (
        <Failed what="The vital signs could not be read" error={read.error} onRetry={again} />
      ) : null}
      {read.isRefetchError ? <NotRenewed error={read.error} readAt={read.dataUpdatedAt} onRetry={again} /> : null}
      {read.data !== undefined && chosen === undefined ? (
        <Empty title={`Nothing measured in ${countText(days, 'day')}`}>
          Choose a longer span, or look under Devices whether one is worn and connected.
        </Empty>
      ) : null}
      {chosen === undefined ? null : (
        <>
          {measures.length === 1 ? null : (
            <NativeSelect
              label="Measure"
              mb="sm"
              maw={320}
              value={chosen.code}
              onChange={(event) => onMeasure(event.currentTarget.value)}
              data={measures.map(({ code, label, vitals }) => ({ value: code, label: `${label} (${vitals.length})` }))}
            />
          )}
          {read.data?.isWhole === false ? (
            <Text c="dimmed">The newest {read.data.resources.length} are shown. Choose a shorter span for all.</Text>
          ) : null}
          <Course measure={chosen} zone={zone} days={days} included={read.data?.included} show={show} />
        </>
      )}
    </Section>
  )
}

interface CourseProps {
  readonly measure: Measure
  readonly zone: string
  readonly days: number
  readonly included: ReadonlyMap<string, Resource> | undefined
  readonly show: Show
}

function Course({ measure, zone, days, included, show }: CourseProps) {
  const model = useMemo(() => plotOf(measure), [measure])
  return (
    <>
      <Plot key={measure.code} model={model} height={240} label={`${measure.label} over ${countText(days, 'day')}`} />
      <Text c="dimmed" my="xs">
        Days of the patient, in {zone}.
      </Text>
      <div>
        {daysOf(measure, zone).map((day) => (
          <DayRow key={day.date} {...{ day, measure, included, show }} />
        ))}
      </div>
    </>
  )
}

const weekday = new Intl.DateTimeFormat('en-GB', { weekday: 'short', day: 'numeric', month: 'short', timeZone: 'UTC' })

interface DayProps extends Pick<CourseProps, 'measure' | 'included' | 'show'> {
  readonly day: Day
}

function DayRow({ day, measure, included, show }: DayProps) {
  const now = useNow()
  return (
    <details className={classes.day}>
      <summary>
        <span className={classes.date}>{weekday.format(Date.parse(day.date))}</span>
        <span className={classes.range}>
          {rangeText(day)} {measure.unit}
        </span>
        <span className={classes.soft}>{countText(day.vitals.length, 'time')}</span>
      </summary>
      <ul className={rows.rows}>
        {day.vitals.map((vital) => (
          <li key={vital.id} className={rows.row}>
            <div className={rows.what}>
              {valueText(vital)} {measure.unit}
              <div className={rows.soft}>
                {momentText(vital.at, now)}
                {vital.resource.device === undefined ? '' : `, ${nameOf(vital.resource, included)}`}
              </div>
            </div>
            <AsFhirButton resource={vital.resource} what={`${valueText(vital)} ${measure.unit}`} show={show} />
          </li>
        ))}
      </ul>
    </details>
  )
}
