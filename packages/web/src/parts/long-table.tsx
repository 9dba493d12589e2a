/** A table that may be long: beyond a hundred rows only those that are looked at are drawn. */
import { Table } from '@mantine/core'
import { useWindowVirtualizer } from '@tanstack/react-virtual'
import { type ReactNode, useRef } from 'react'

export interface Column<Row> {
  readonly title: string
  readonly cell: (row: Row) => ReactNode
}

interface LongTableProps<Row> {
  readonly columns: readonly Column<Row>[]
  readonly rows: readonly Row[]
  readonly keyOf: (row: Row) => string
  /** CSS pixels below which the table scrolls sideways within itself. */
  readonly minWidth: number
}

const drawnAtOnce = 100
const rowHeight = 45

export function LongTable<Row>(props: LongTableProps<Row>) {
  const { columns, rows, minWidth } = props
  return (
    <Table.ScrollContainer minWidth={minWidth} scrollAreaProps={{ viewportProps: { tabIndex: 0 } }}>
      <Table verticalSpacing="xs" highlightOnHover aria-rowcount={rows.length + 1}>
        <Table.Thead>
          <Table.Tr>
            {columns.map(({ title }) => (
              <Table.Th key={title}>{title}</Table.Th>
            ))}
          </Table.Tr>
        </Table.Thead>
        {rows.length > drawnAtOnce ? <LongBody {...props} /> : <ShortBody {...props} />}
      </Table>
    </Table.ScrollContainer>
  )
}

function ShortBody<Row>({ columns, rows, keyOf }: LongTableProps<Row>) {
  return (
    <Table.Tbody>
      {rows.map((row) => (
        <Cells key={keyOf(row)} columns={columns} row={row} />
      ))}
    </Table.Tbody>
  )
}

function LongBody<Row>({ columns, rows, keyOf }: LongTableProps<Row>) {
  const body = useRef<HTMLTableSectionElement>(null)
  const list = useWindowVirtualizer({
    count: rows.length,
    estimateSize: () => rowHeight,
    overscan: 12,
    scrollMargin: body.current?.offsetTop ?? 0,
  })
  const items = list.getVirtualItems()
  const { scrollMargin } = list.options
  const before = (items[0]?.start ?? scrollMargin) - scrollMargin
  const after = list.getTotalSize() - ((items.at(-1)?.end ?? scrollMargin) - scrollMargin)
  return (
    <tbody ref={body}>
      <Spacer height={before} columns={columns.length} />
      {items.map(({ index }) => (
        <Cells key={keyOf(rows[index]!)} columns={columns} row={rows[index]!} place={index} />
      ))}
      <Spacer height={after} columns={columns.length} />
    </tbody>
  )
}

function Spacer({ height, columns }: { height: number; columns: number }) {
  return height <= 0 ? null : (
    <tr>
      <td style={{ height, padding: 0 }} colSpan={columns} />
    </tr>
  )
}

interface CellsProps<Row> {
  readonly columns: readonly Column<Row>[]
  readonly row: Row
  readonly place?: number
}

function Cells<Row>({ columns, row, place }: CellsProps<Row>) {
  return (
    <Table.Tr aria-rowindex={place === undefined ? undefined : place + 2}>
      {columns.map(({ title, cell }) => (
        <Table.Td key={title}>{cell(row)}</Table.Td>
      ))}
    </Table.Tr>
  )
}
