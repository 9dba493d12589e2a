/** On the page of a patient who is seen by emergency access: until when, and how it is given back before. */
import { Button } from '@mantine/core'
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { useNavigate } from '@tanstack/react-router'
import { call } from '../../api/client.ts'
import { endpoints } from '../../api/endpoints.ts'
import { officeQueries } from '../../api/office-queries.ts'
import { serverNow, useNow } from '../../app/clock.ts'
import { useMay } from '../../app/session.tsx'
import { Refusal } from '../../parts/refusal.tsx'
import { momentText, spanText } from '../../parts/words.ts'
import classes from './break-glass.module.css'

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
    <div className={classes.banner} role="status" aria-label="Emergency access">
      <div className={classes.words}>
        <strong>Emergency access.</strong>{' '}
        {now >= untilAt
          ? 'It has ended.'
          : `You see this patient until ${momentText(untilAt, now)}, ${spanText(untilAt - now)} left.`}{' '}
        Everything you open is recorded as emergency treatment and reviewed.
        <Refusal error={end.error} />
      </div>
      <Button variant="default" mih={44} loading={end.isPending} onClick={() => end.mutate()}>
        End it now
      </Button>
    </div>
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
