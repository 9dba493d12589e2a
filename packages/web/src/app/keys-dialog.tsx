/** What each key does, and the switch for who would rather not have them. */
import { Kbd, Modal, Switch, Table } from '@mantine/core'
import { setKeysOn, useKeysOn } from './use-keys.ts'

const keys = [
  ['j  k', 'Next, previous'],
  ['c', 'Claim'],
  ['d', 'Complete (done)'],
  ['/', 'Filter the list'],
  ['Esc', 'Close what is open'],
  ['← →', 'In a chart: move along the readings'],
  ['?', 'This list'],
] as const

export function KeysDialog({ opened, onClose }: { opened: boolean; onClose: () => void }) {
  const on = useKeysOn()
  return (
    <Modal opened={opened} onClose={onClose} title="Keyboard keys">
      <Table verticalSpacing={6} mb="md">
        <Table.Tbody>
          {keys.map(([key, what]) => (
            <Table.Tr key={key}>
              <Table.Td>
                <Kbd>{key}</Kbd>
              </Table.Td>
              <Table.Td>{what}</Table.Td>
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
      <Switch
        label="Single keys act"
        description="Switch off when you dictate or type with a device that sends stray keys."
        checked={on}
        onChange={(event) => setKeysOn(event.currentTarget.checked)}
      />
    </Modal>
  )
}
