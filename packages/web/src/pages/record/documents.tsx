/** What was asked and answered, and what was sent to whom. */

import { Text } from '@mantine/core'
import type { Communication, QuestionnaireResponse } from '@medplum/fhirtypes'
import { useQuery } from '@tanstack/react-query'
import { recordQueries } from '../../api/record-queries.ts'
import { useNow } from '../../app/clock.ts'
import { Failed, Loading } from '../../parts/page-state.tsx'
import rows from '../../parts/rows.module.css'
import { Section } from '../../parts/section.tsx'
import { momentText } from '../../parts/words.ts'
import { AsFhirButton } from './as-fhir-button.tsx'
import type { Show } from './resource-dialog.tsx'

type Document = QuestionnaireResponse | Communication

export function DocumentsPart({ patient, show }: { patient: string; show: Show }) {
  const read = useQuery(recordQueries.documents(patient))
  const documents = read.data?.toSorted((a, b) => timeOf(b) - timeOf(a)) ?? []
  return (
    <Section title="Documents">
      {read.isPending ? <Loading rows={2} /> : null}
      {read.data === undefined && read.isError ? (
        <Failed what="The documents could not be read" error={read.error} onRetry={() => void read.refetch()} />
      ) : null}
      {read.data !== undefined && documents.length === 0 ? (
        <Text c="dimmed">None. Answers to questionnaires and messages stand here when there are some.</Text>
      ) : null}
      <ul className={rows.rows} hidden={documents.length === 0}>
        {documents.map((each) => (
          <DocumentRow key={`${each.resourceType}/${each.id}`} document={each} show={show} />
        ))}
      </ul>
    </Section>
  )
}

const timeOf = (document: Document): number =>
  Date.parse(
    (document.resourceType === 'Communication' ? document.sent : document.authored) ?? document.meta?.lastUpdated ?? '',
  ) || 0

function DocumentRow({ document, show }: { document: Document; show: Show }) {
  const now = useNow()
  const what = titleOf(document)
  const at = timeOf(document)
  return (
    <li className={rows.row}>
      <div className={rows.what}>
        {what}
        <div className={rows.soft}>
          {at === 0 ? 'time not known' : momentText(at, now)}, {document.status}
        </div>
      </div>
      <AsFhirButton resource={document} what={what} show={show} />
    </li>
  )
}

function titleOf(document: Document): string {
  if (document.resourceType === 'QuestionnaireResponse') return 'Answers to a questionnaire'
  const { recipient = [], medium = [] } = document
  const to = recipient.flatMap(({ display }) => display ?? []).join(', ')
  const by = medium.map(({ text, coding }) => text ?? coding?.[0]?.display ?? coding?.[0]?.code ?? '').join(', ')
  return `Message${to === '' ? '' : ` to ${to}`}${by === '' ? '' : ` by ${by}`}`
}
