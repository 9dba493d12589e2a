/** For the person themselves, in short words: who sees their readings, and how to stop it. */
import type { ConsentView } from '@careloop/contract'
import { Text } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { consentQueries } from '../../api/consent-queries.ts'
import { serverNow } from '../../app/clock.ts'
import { Failed, Loading } from '../../parts/page-state.tsx'
import rows from '../../parts/rows.module.css'
import { Section } from '../../parts/section.tsx'
import { useWhyNot } from '../../parts/why-not.ts'
import { granteeText, spanWords, whatText } from './consent-words.ts'
import { WithdrawButton } from './consents-panel.tsx'

export function OwnConsents({ subject }: { subject: string }) {
  const { data, error, isPending, refetch } = useQuery(consentQueries.consents(subject))
  const active = data?.items.filter(({ status }) => status === 'active') ?? []
  return (
    <Section title="Who sees your readings">
      <Text>Your care team sees them, so that they can help you.</Text>
      {isPending ? <Loading /> : null}
      {error !== null && data === undefined ? (
        <Failed what="Your list could not be read" error={error} onRetry={() => void refetch()} />
      ) : null}
      {data !== undefined && active.length === 0 ? <Text mt="sm">Nobody else sees them.</Text> : null}
      {active.length === 0 ? null : (
        <ul className={rows.rows} aria-label="Who else sees your readings">
          {active.map((each) => (
            <OwnRow key={each.id} consent={each} />
          ))}
        </ul>
      )}
      <Text mt="sm" c="dimmed">
        You can stop sharing at any time. It ends at once. What somebody has seen before cannot be taken back. Your care
        team goes on to look after you. To share with somebody new, ask your clinic.
      </Text>
    </Section>
  )
}

function OwnRow({ consent }: { consent: ConsentView }) {
  const why = useWhyNot('update', 'consent')
  return (
    <li className={rows.row}>
      <div className={rows.what}>
        <strong>{granteeText(consent.grantee)}</strong> {consent.decision === 'permit' ? 'can see' : 'cannot see'}:{' '}
        {whatText(consent)}
        <div className={rows.soft}>{spanWords(consent, serverNow())}</div>
      </div>
      <WithdrawButton
        consent={consent}
        why={why}
        label={consent.decision === 'permit' ? 'Stop sharing' : 'Take back'}
      />
    </li>
  )
}
