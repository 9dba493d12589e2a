/** On the page of a patient who is seen by emergency access: until when, and how it is given back before. */
import { Alert, Button, Group, Text } from '@mantine/core'
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { useNavigate } from '@tanstack/react-router'
import { call } from '../../api/client.ts'
import { endpoints } from '../../api/endpoints.ts'
import { officeQueries } from '../../api/office-queries.ts'
import { serverNow, useNow } from '../../app/clock.ts'
import { useMay } from '../../app/session.tsx'
import { Refusal } from '../../parts/refusal.tsx'
import { momentText, spanText } from '../../parts/words.ts'

export function EmergencyBanner({ subject }: { subject: string }) {
  const mayRead = useMay('read', 'break-glass')
  const own = useQuery({ ...officeQueries.ownBreakGlass, enabled: mayRead }).data
  const access = own?.items.find((each) => each.subject === subject)
  return access === undefined ? null : <Banner id={access.id} untilAt={access.untilAt} />
}

function Banner({ id, untilAt }: { id: string; untilAt: number }) {
  useNow()
  const now = serverNow()
  const end = useEnd(id)
  return (
    <Alert color="yellow" variant="outline" mb="md" role="status" title="Emergency access">
      <Group justify="space-between" gap="md">
        <Text>
          {now >= untilAt
            ? 'It has ended.'
            : `You see this patient until ${momentText(untilAt, now)}, ${spanText(untilAt - now)} left.`}{' '}
          Everything you open is recorded as emergency treatment and reviewed.
        </Text>
        <Button variant="default" mih={44} loading={end.isPending} onClick={() => end.mutate()}>
          End it now
        </Button>
      </Group>
      <Refusal error={end.error} />
    </Alert>
  )
}

function useEnd(id: string) {
  const client = useQueryClient()
  const navigate = useNavigate()
  return useMutation({
    mutationFn: () => call(endpoints.endBreakGlass, { params: { id } }),
    async onSuccess() {
      await navigate({ to: '/subjects' })
      // What was shown of the patient leaves the memory of this page too.
      client.removeQueries({
        predicate: ({ queryKey }) => !['me', 'place'].includes(String(queryKey[0])),
        type: 'inactive',
      })
      await client.invalidateQueries({ predicate: ({ queryKey }) => queryKey[0] !== 'me' })
    },
  })
}
