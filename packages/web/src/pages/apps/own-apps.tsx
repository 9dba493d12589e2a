/** What one has allowed to apps; each can be taken back from here. */
import type { OwnAppGrant } from '@careloop/contract'
import { Button } from '@mantine/core'
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { appQueries } from '../../api/app-queries.ts'
import { call } from '../../api/client.ts'
import { endpoints } from '../../api/endpoints.ts'
import { Age } from '../../parts/age.tsx'
import { Failed } from '../../parts/page-state.tsx'
import { Refusal } from '../../parts/refusal.tsx'
import rows from '../../parts/rows.module.css'
import { Section } from '../../parts/section.tsx'
import { momentText } from '../../parts/words.ts'
import { scopeWords } from './scope-words.ts'

/** Not there while there is none: most people use none. */
export function OwnApps() {
  const client = useQueryClient()
  const { data, error, refetch } = useQuery(appQueries.own)
  const end = useMutation({
    mutationFn: (id: string) => call(endpoints.revokeMyApp, { params: { id } }),
    onSettled: () => client.invalidateQueries({ queryKey: ['apps', 'own'] }),
  })
  if (error !== null && data === undefined)
    return <Failed what="What you allow to apps could not be read" error={error} onRetry={() => void refetch()} />
  if (data === undefined || data.items.length === 0) return null
  return (
    <Section title="Apps that you allow">
      <Refusal error={end.error} />
      <ul className={rows.rows} aria-label="Apps that you allow">
        {data.items.map((grant) => (
          <li key={grant.id} className={rows.row}>
            <GrantWords grant={grant} />
            <Button
              variant="default"
              mih={44}
              loading={end.isPending && end.variables === grant.id}
              onClick={() => end.mutate(grant.id)}
              aria-label={`Take back what ${grant.app.name} may`}
            >
              Take back
            </Button>
          </li>
        ))}
      </ul>
    </Section>
  )
}

function GrantWords({ grant: { app, scopes, isOffline, createdAt, expiresAt } }: { grant: OwnAppGrant }) {
  return (
    <div className={rows.what}>
      <strong>{app.name}</strong>
      <div>It may {scopes.map(scopeWords).join('; ')}.</div>
      <div className={rows.soft}>
        allowed <Age at={createdAt} /> ·{' '}
        {isOffline ? `until ${momentText(expiresAt, Date.now())}` : 'while you are signed in'}
      </div>
    </div>
  )
}
