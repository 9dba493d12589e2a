/** All consents of a patient on one sheet, those that are over too: to read, to print, to sign for. */
import { Button, Text } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { useParams } from '@tanstack/react-router'
import { consentQueries } from '../../api/consent-queries.ts'
import { queries } from '../../api/queries.ts'
import { serverNow } from '../../app/clock.ts'
import { Page, useTitle } from '../../parts/page.tsx'
import { Empty, Failed, Loading, WithRight } from '../../parts/page-state.tsx'
import rows from '../../parts/rows.module.css'
import { dateText, granteeText, howWords, spanWords, whatText } from './consent-words.ts'

export function ConsentSummaryPage() {
  useTitle('Consents')
  return (
    <WithRight resource="consent" what="Consents">
      <Summary />
    </WithRight>
  )
}

function Summary() {
  const { id } = useParams({ from: '/staff/subjects/$id/consents' })
  const subject = useQuery(queries.subject(id))
  const consents = useQuery(consentQueries.consents(id))
  if (subject.isPending || consents.isPending) return <Loading />
  const error = subject.error ?? consents.error
  if (subject.data === undefined || consents.data === undefined)
    return <Failed what="The consents could not be read" error={error!} onRetry={() => void consents.refetch()} />
  const { items } = consents.data
  return (
    <Page
      title={`Who may see what: ${subject.data.display}`}
      beside={
        <Button variant="default" mih={44} onClick={() => window.print()}>
          Print
        </Button>
      }
    >
      <Text mb="md">
        As of {dateText(serverNow())}. The care team treats without a consent. Caregivers, other systems and studies see
        what is said here, and nothing else. A consent can be withdrawn at any time.
      </Text>
      {items.length === 0 ? <Empty title="No consents">Nobody but the care team sees anything.</Empty> : null}
      <ol className={rows.rows} aria-label="Consents">
        {items.map((each) => (
          <li key={each.id} className={rows.row}>
            <div className={rows.what}>
              <strong>{granteeText(each.grantee)}</strong> {each.decision === 'permit' ? 'may see' : 'may not see'}:{' '}
              {whatText(each)}
              <div className={rows.soft}>
                {spanWords(each, serverNow())} · {howWords[each.verification.how]}
                {each.verification.note === undefined ? '' : ` (${each.verification.note})`}
              </div>
            </div>
          </li>
        ))}
      </ol>
    </Page>
  )
}
