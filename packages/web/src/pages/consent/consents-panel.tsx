/** Who may see what of a patient besides their care team, since when, until when; withdrawn here with a second press. */
import type { ConsentView } from '@careloop/contract'
import { Button, Text } from '@mantine/core'
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { useState } from 'react'
import { call } from '../../api/client.ts'
import { consentQueries } from '../../api/consent-queries.ts'
import { endpoints } from '../../api/endpoints.ts'
import { serverNow } from '../../app/clock.ts'
import { Dialog } from '../../parts/dialog.tsx'
import { Failed } from '../../parts/page-state.tsx'
import { Refusal } from '../../parts/refusal.tsx'
import rows from '../../parts/rows.module.css'
import { Section } from '../../parts/section.tsx'
import { useWhyNot } from '../../parts/why-not.ts'
import { granteeText, howWords, spanWords, whatText } from './consent-words.ts'
import { RecordConsent } from './record-consent.tsx'

export function ConsentsPanel({ subject }: { subject: string }) {
  const { data, error, refetch } = useQuery(consentQueries.consents(subject))
  const [isOpen, setOpen] = useState(false)
  const why = useWhyNot('create', 'consent')
  const active = data?.items.filter(({ status }) => status === 'active')
  return (
    <Section title="Who else may see this">
      {error !== null && data === undefined ? (
        <Failed what="The consents could not be read" error={error} onRetry={() => void refetch()} />
      ) : null}
      {active?.length === 0 ? (
        <Text c="dimmed">Nobody but the care team. Caregivers and other systems see nothing without a consent.</Text>
      ) : null}
      {active === undefined || active.length === 0 ? null : (
        <ul className={rows.rows} aria-label="Consents">
          {active.map((each) => (
            <ConsentRow key={each.id} consent={each} />
          ))}
        </ul>
      )}
      <div className={rows.acts} style={{ marginTop: '0.5rem' }}>
        <Button
          variant="default"
          mih={44}
          disabled={why !== null}
          title={why ?? undefined}
          onClick={() => setOpen(true)}
        >
          Record a consent
        </Button>
        <Link to="/subjects/$id/consents" params={{ id: subject }}>
          Summary to print
        </Link>
      </div>
      <Dialog title="Record a consent" size="lg" opened={isOpen} onClose={() => setOpen(false)}>
        <RecordConsent subject={subject} onEnd={() => setOpen(false)} />
      </Dialog>
    </Section>
  )
}

function ConsentRow({ consent }: { consent: ConsentView }) {
  const why = useWhyNot('update', 'consent')
  const words = consent.decision === 'permit' ? 'may see' : 'may not see'
  return (
    <li className={rows.row}>
      <div className={rows.what}>
        <strong>{granteeText(consent.grantee)}</strong> {words}: {whatText(consent)}
        <div className={rows.soft}>
          {spanWords(consent, serverNow())} · {howWords[consent.verification.how]}
        </div>
      </div>
      <WithdrawButton consent={consent} why={why} label="Withdraw" />
    </li>
  )
}

interface WithdrawProps {
  readonly consent: ConsentView
  readonly why: string | null
  readonly label: string
}

/** Asks once more: it ends at once for whoever looks now. */
export function WithdrawButton({ consent, why, label }: WithdrawProps) {
  const { id, subject, grantee } = consent
  const client = useQueryClient()
  const [sure, setSure] = useState(false)
  const withdraw = useMutation({
    mutationFn: () => call(endpoints.withdrawConsent, { params: { id: subject, consent: id }, body: {} }),
    onSuccess: () => client.invalidateQueries({ queryKey: ['consents', subject] }),
  })
  const text = sure ? 'Yes, end it now' : label
  return (
    <div>
      <Button
        variant="default"
        mih={44}
        disabled={why !== null}
        title={why ?? undefined}
        loading={withdraw.isPending}
        aria-label={`${text}: ${granteeText(grantee)}`}
        onClick={() => (sure ? withdraw.mutate() : setSure(true))}
        onBlur={() => setSure(false)}
      >
        {text}
      </Button>
      <Refusal error={withdraw.error} />
    </div>
  )
}
