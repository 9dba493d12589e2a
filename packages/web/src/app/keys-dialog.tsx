/** What each key does, and the switch for who would rather not have them. */
import { Kbd, Modal, Switch, Table } from '@mantine/core'
import { usePlaces } from './places.ts'
import { setKeysOn, useKeysOn } from './use-keys.ts'

const everywhere = [
  ['Ctrl K', 'Find a page, a subject, a task or an act'],
  ['/', 'Search in the list'],
  ['u', 'Undo, for ten seconds'],
  ['?', 'This list'],
  ['Esc', 'Close what is open'],
] as const

/** While a chart has the focus; see parts/plot/plot.tsx. */
const chart = [
  ['←  →', 'One reading back, one on'],
  ['PgUp  PgDn', 'Ten readings back, ten on'],
  ['Home  End', 'First reading, last reading'],
  ['+', "On a subject's page: closer, around the reading"],
  ['-  Esc', "On a subject's page: the whole span again"],
] as const

const worklist = [
  ['j  k  ↓  ↑', 'Next, previous'],
  ['c', 'Claim: you work on it'],
  ['a', 'Acknowledge: you have seen it'],
  ['d', 'Complete (done)'],
  ['s', 'Snooze'],
  ['h', 'Hand off'],
  ['r', 'Give back: somebody else may claim it'],
  ['x', 'What proves it'],
  ['1 to 9', 'When completing: choose what was done'],
  ['Ctrl Enter', 'When completing: complete'],
] as const

export function KeysDialog({ opened, onClose }: { opened: boolean; onClose: () => void }) {
  const on = useKeysOn()
  const going = usePlaces().map(({ key, label }) => [`g ${key}`, `Go to ${label}`] as const)
  return (
    <Modal
      opened={opened}
      onClose={onClose}
      title="Keyboard keys"
      closeButtonProps={{ 'aria-label': 'Close the list' }}
    >
      <KeyTable title="In the worklist" keys={worklist} />
      <KeyTable title="In a chart" keys={chart} />
      <KeyTable title="Everywhere" keys={[...everywhere, ...going]} />
      <Switch
        label="Single keys act"
        description="Switch off when you dictate or type with a device that sends stray keys."
        checked={on}
        onChange={(event) => setKeysOn(event.currentTarget.checked)}
      />
    </Modal>
  )
}

function KeyTable({ title, keys }: { title: string; keys: readonly (readonly [string, string])[] }) {
  return (
    <Table verticalSpacing={6} mb="md" captionSide="top">
      <Table.Caption ta="left" fw={600} c="var(--mantine-color-text)">
        {title}
      </Table.Caption>
      <Table.Tbody>
        {keys.map(([key, what]) => (
          <Table.Tr key={key}>
            <Table.Td w={110}>
              <Kbd>{key}</Kbd>
            </Table.Td>
            <Table.Td>{what}</Table.Td>
          </Table.Tr>
        ))}
      </Table.Tbody>
    </Table>
  )
}
