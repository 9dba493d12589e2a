/** Apps that are opened from a patient: in a window of their own, at this patient, for who opens them. */
import { Button, Menu } from '@mantine/core'
import { useMutation, useQuery } from '@tanstack/react-query'
import { appQueries } from '../../api/app-queries.ts'
import { call } from '../../api/client.ts'
import { endpoints } from '../../api/endpoints.ts'
import { Refusal } from '../../parts/refusal.tsx'

/** Not there where no app is registered for it. */
export function OpenApps({ subject }: { subject: string }) {
  const { data } = useQuery(appQueries.launchable)
  const open = useMutation({
    mutationFn: (app: string) => call(endpoints.launchApp, { params: { id: app }, body: { subject } }),
    // Without a way back to this window: the app is somebody else's page.
    onSuccess: ({ url }) => void window.open(url, '_blank', 'noopener,noreferrer'),
  })
  if (data === undefined || data.items.length === 0) return null
  return (
    <>
      <Menu position="bottom-end" withinPortal>
        <Menu.Target>
          <Button variant="default" mih={44} loading={open.isPending}>
            Open an app
          </Button>
        </Menu.Target>
        <Menu.Dropdown>
          {data.items.map(({ id, name }) => (
            <Menu.Item key={id} mih={44} onClick={() => open.mutate(id)}>
              {name}
            </Menu.Item>
          ))}
        </Menu.Dropdown>
      </Menu>
      <Refusal error={open.error} />
    </>
  )
}
