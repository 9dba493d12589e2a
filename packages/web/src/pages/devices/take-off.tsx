/** Takes a device off its wearer; and what every change of wearer does to the pages. */
import type { DeviceView } from '@careloop/contract'
import { Text } from '@mantine/core'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { call } from '../../api/client.ts'
import { endpoints } from '../../api/endpoints.ts'
import { Dialog } from '../../parts/dialog.tsx'
import { FormFoot, Refusal } from '../../parts/refusal.tsx'
import { useOffline } from '../../parts/why-not.ts'

export function TakeOffDialog({ device, onClose }: { device: Pick<DeviceView, 'id' | 'name'>; onClose: () => void }) {
  const offline = useOffline()
  const off = useMoved(onClose, () => call(endpoints.unassign, { params: { id: device.id }, body: {} }))
  return (
    <Dialog opened title={`Take off ${device.name}`} onClose={onClose}>
      <form
        onSubmit={(event) => {
          event.preventDefault()
          off.mutate()
        }}
      >
        <Text>
          What it measures from now on belongs to nobody: it waits in quarantine until somebody wears the device again.
        </Text>
        <Refusal error={off.error} />
        <FormFoot label="Take off" isPending={off.isPending} onCancel={onClose} why={offline} />
      </form>
    </Dialog>
  )
}

export function useMoved(onMoved: () => void, move: () => Promise<unknown>) {
  const client = useQueryClient()
  return useMutation({
    mutationFn: move,
    async onSuccess() {
      await client.invalidateQueries({ queryKey: ['devices'] })
      onMoved()
    },
  })
}
