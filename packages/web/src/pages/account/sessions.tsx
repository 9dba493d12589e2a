/** Where one is signed in; each can be ended from here. */
import type { Session } from '@careloop/contract'
import { Button } from '@mantine/core'
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { accountQueries } from '../../api/account-queries.ts'
import { call } from '../../api/client.ts'
import { endpoints } from '../../api/endpoints.ts'
import { Age } from '../../parts/age.tsx'
import { Failed, Loading } from '../../parts/page-state.tsx'
import { Refusal } from '../../parts/refusal.tsx'
import rows from '../../parts/rows.module.css'
import { Section } from '../../parts/section.tsx'
import { browserWords } from './browser-words.ts'

export function Sessions() {
  const client = useQueryClient()
  const { data, error, isPending, refetch } = useQuery(accountQueries.sessions)
  const end = useMutation({
    mutationFn: (id: string) => call(endpoints.endSession, { params: { id } }),
    onSettled: () => client.invalidateQueries({ queryKey: ['sessions'] }),
  })
  return (
    <Section title="Where you are signed in">
      {isPending ? <Loading rows={2} /> : null}
      {error !== null && data === undefined ? (
        <Failed what="Your sessions could not be read" error={error} onRetry={() => void refetch()} />
      ) : null}
      <Refusal error={end.error} />
      <ul className={rows.rows}>
        {data?.items.map((session) => (
          <li key={session.id} className={rows.row}>
            <SessionWords session={session} />
            {session.isThis ? (
              <span className={rows.tag}>this one</span>
            ) : (
              <Button
                variant="default"
                mih={44}
                loading={end.isPending && end.variables === session.id}
                onClick={() => end.mutate(session.id)}
                aria-label={`End the session in ${browserWords(session.userAgent)} at ${session.ip ?? 'an unknown address'}`}
              >
                End
              </Button>
            )}
          </li>
        ))}
      </ul>
    </Section>
  )
}

function SessionWords({ session: { userAgent, ip, createdAt } }: { session: Session }) {
  return (
    <div className={rows.what}>
      <strong>{browserWords(userAgent)}</strong> at {ip ?? 'an unknown address'}
      <div className={rows.soft}>
        signed in <Age at={createdAt} />
      </div>
    </div>
  )
}
