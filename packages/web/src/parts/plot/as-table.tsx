/** The table beside every chart: each time once, newest first, with what every line has then; gaps stand where they were. */
import { Table, Text } from '@mantine/core'
import { useNow } from '../../app/clock.ts'
import { momentText, viewerZone } from '../words.ts'
import { gapWords, notesAt, type PlotModel, readTimesOf, valuesAt } from './model.ts'

const tableRows = 200

type Row = { readonly at: number; readonly until?: number; readonly words: string; readonly note: string }

export function AsTable({ model }: { model: PlotModel }) {
  const times = readTimesOf(model)
  return (
    <details>
      <summary>As table</summary>
      <Rows model={model} times={times} />
    </details>
  )
}

function Rows({ model, times }: { model: PlotModel; times: readonly number[] }) {
  const now = useNow()
  const rows = rowsOf(model, times)
  return (
    <>
      <Table verticalSpacing={4} maw={560} aria-label="Readings, newest first">
        <Table.Thead>
          <Table.Tr>
            <Table.Th>Measured ({viewerZone})</Table.Th>
            <Table.Th className="numbers">Value</Table.Th>
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {rows.slice(0, tableRows).map(({ at, until, words, note }) => (
            <Table.Tr key={`${at}/${until ?? ''}`}>
              <Table.Td>
                {momentText(at, now, true)}
                {until === undefined ? '' : ` to ${momentText(until, now, true)}`}
              </Table.Td>
              <Table.Td className="numbers">
                {words}
                {note === '' ? null : <Text c="dimmed">{note}</Text>}
              </Table.Td>
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
      {rows.length > tableRows ? (
        <Text c="dimmed">
          The newest {tableRows} of {rows.length}. Choose a shorter span for the rest.
        </Text>
      ) : null}
    </>
  )
}

function rowsOf(model: PlotModel, times: readonly number[]): Row[] {
  const read = times.map((at): Row => ({ at, words: valuesAt(model, at), note: notesAt(model, at) }))
  const gaps = model.gaps.map(
    ({ from, to, reason }): Row => ({
      ...{ at: from, until: to, note: '' },
      words: reason === undefined ? 'no readings' : gapWords[reason],
    }),
  )
  return [...read, ...gaps].sort((a, b) => b.at - a.at)
}
