/** The readings that raised an alert: drawn with the rule's limits, and as a table with every number's unit and time. */
import type { EvidenceReading, ExplainBody } from '@careloop/contract'
import { signal } from '@careloop/contract'
import { Button, Table, Text, Title } from '@mantine/core'
import { useMemo, useState } from 'react'
import { serverNow, useNow } from '../../app/clock.ts'
import { Plot } from '../../parts/plot/plot.tsx'
import { countText, flagWords, momentText, spanText } from '../../parts/words.ts'
import { plotsOf } from './evidence-plots.ts'
import classes from './worklist.module.css'

/** @param isSilence the rule is about nothing coming: its chart ends in a hatched gap */
export function Evidence({ explain, isSilence }: { explain: ExplainBody; isSilence: boolean }) {
  const models = useMemo(() => plotsOf(explain, isSilence, serverNow()), [explain, isSilence])
  return (
    <section className={classes.section} aria-labelledby="readings">
      <Title order={3} id="readings">
        {isSilence ? 'What was heard before' : 'The readings that raised it'}
      </Title>
      {isSilence ? <LastHeard explain={explain} /> : null}
      {models.map((model) => (
        <Plot
          key={model.unit}
          model={model}
          label={`${model.lines.map((line) => line.label).join(' and ')} in ${model.unit} ${isSilence ? 'and the silence since' : "with the rule's limits"}`}
        />
      ))}
      {explain.readings.length === 0 ? null : (
        <ReadingsTable readings={explain.readings} leftOut={explain.readingsLeftOut} hasBreaches={!isSilence} />
      )}
    </section>
  )
}

function LastHeard({ explain: { readings, alert } }: { explain: ExplainBody }) {
  const now = useNow()
  const last = readings.at(-1)
  const until = alert.clearedAt ?? now
  return (
    <Text fw={600} mb={4}>
      {last === undefined
        ? 'Nothing was heard since this is watched.'
        : `Last heard ${momentText(last.measuredAt, now)}, silent for ${spanText(until - last.measuredAt)}${alert.clearedAt === undefined ? ' so far' : ''}.`}
    </Text>
  )
}

/** This many rows are read at a glance; the rest on asking. */
const firstRows = 12

interface TableProps {
  readonly readings: readonly EvidenceReading[]
  readonly leftOut: number
  readonly hasBreaches: boolean
}

function ReadingsTable({ readings, leftOut, hasBreaches }: TableProps) {
  const [all, setAll] = useState(false)
  const now = useNow()
  const newestFirst = readings.toReversed()
  const shown = all ? newestFirst : newestFirst.slice(0, firstRows)
  return (
    <>
      <div className={classes.scroll}>
        <Table verticalSpacing={4} mt="sm" aria-label="Readings, newest first">
          <Table.Thead>
            <Table.Tr>
              <Table.Th>Measured</Table.Th>
              <Table.Th>Signal</Table.Th>
              <Table.Th className="numbers">Value</Table.Th>
              <Table.Th className={classes.wide}>Received</Table.Th>
            </Table.Tr>
          </Table.Thead>
          <Table.Tbody>
            {shown.map((reading) => (
              <Table.Tr
                key={`${reading.address.position}/${reading.address.index}/${reading.signal}/${reading.measuredAt}`}
              >
                <Table.Td className="nowrap">{momentText(reading.measuredAt, now, true)}</Table.Td>
                <Table.Td>{reading.label}</Table.Td>
                <Table.Td className={`numbers ${reading.breach ? classes.breach : ''}`}>
                  {reading.comparator ?? ''}
                  {reading.value.toFixed(signal(reading.signal)?.decimals ?? 0)} {reading.unit}
                  {reading.breach ? <span title="Met the rule's condition"> ●</span> : ''}
                  {reading.flags === undefined ? null : <Text c="dimmed">{flagWords(reading.flags)}</Text>}
                </Table.Td>
                <Table.Td className={`nowrap ${classes.wide}`}>{lateness(reading)}</Table.Td>
              </Table.Tr>
            ))}
          </Table.Tbody>
        </Table>
      </div>
      <Text c="dimmed" mt={4}>
        {hasBreaches ? "● met the rule's condition. " : ''}Newest first.
        {leftOut > 0 ? ` ${countText(leftOut, 'older reading is', 'older readings are')} not kept with the alert.` : ''}
      </Text>
      {readings.length > firstRows && !all ? (
        <Button variant="default" size="xs" mt="xs" onClick={() => setAll(true)}>
          Show all {readings.length}
        </Button>
      ) : null}
    </>
  )
}

/** How long the reading took to be with us; seconds are not worth a word. */
const lateness = ({ measuredAt, receivedAt }: EvidenceReading): string =>
  receivedAt - measuredAt < 10_000 ? 'at once' : `${spanText(receivedAt - measuredAt)} later`
