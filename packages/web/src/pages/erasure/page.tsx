/** Erasing a record, and legal holds: proposed by one, decided by another. By opaque ids: who decides here reads no chart. */
import type { ErasureView, LegalHoldView } from '@careloop/contract'
import { Badge, Button, Group, Text, TextInput, Title } from '@mantine/core'
import { type QueryClient, useQuery } from '@tanstack/react-query'
import { useNavigate, useSearch } from '@tanstack/react-router'
import { type FormEvent, useState } from 'react'
import { officeQueries } from '../../api/office-queries.ts'
import { useMe } from '../../app/session.tsx'
import { Age } from '../../parts/age.tsx'
import { Page, useTitle } from '../../parts/page.tsx'
import { Empty, Failed, Loading, NotRenewed, WithRight } from '../../parts/page-state.tsx'
import rows from '../../parts/rows.module.css'
import { useWhyNot } from '../../parts/why-not.ts'
import { ErasureDialogs, type Open } from './dialogs.tsx'
import { erasureBases } from './words.ts'

export interface ErasureSearch {
  /** Opaque id. */
  readonly subject?: string
}

const empty = (
  <Empty title="Nothing is proposed, and nothing is held">
    A record is erased when one person proposes it and another approves. A legal hold keeps it until it is released.
    Find a record by its id below: its page and the audit trail show the id.
  </Empty>
)

export const loadErasure = (client: QueryClient, { subject }: ErasureSearch): void =>
  void client.prefetchQuery(officeQueries.erasure(subject))

export function ErasurePage() {
  useTitle('Erasure and legal holds')
  return (
    <WithRight resource="erasure" what="Erasure and legal holds">
      <Erasure />
    </WithRight>
  )
}

function Erasure() {
  const { subject } = useSearch({ from: '/staff/erasure' })
  const [open, setOpen] = useState<Open>(null)
  const state = useQuery(officeQueries.erasure(subject))
  const { data, error, refetch } = state
  const again = () => void refetch()
  const isEmpty = data?.erasures.length === 0 && data.holds.length === 0
  return (
    <Page title="Erasure and legal holds">
      <Find subject={subject} />
      {subject === undefined ? null : (
        <OneRecord subject={subject} erasedAt={data?.erasedAt ?? null} onOpen={setOpen} />
      )}
      {state.isPending ? <Loading /> : null}
      {error !== null && data === undefined ? (
        <Failed what="Proposals and holds could not be read" error={error} onRetry={again} />
      ) : null}
      {state.isRefetchError ? <NotRenewed error={state.error} readAt={state.dataUpdatedAt} onRetry={again} /> : null}
      {isEmpty && subject === undefined ? empty : null}
      {isEmpty && subject !== undefined ? <Text>Nothing was proposed for this record, and no hold stands.</Text> : null}
      {data === undefined || isEmpty ? null : (
        <>
          <ul className={rows.rows} aria-label="Legal holds">
            {data.holds.map((hold) => (
              <HoldRow key={hold.id} hold={hold} onOpen={setOpen} />
            ))}
          </ul>
          <ul className={rows.rows} aria-label="Proposals">
            {data.erasures.map((erasure) => (
              <ProposalRow key={erasure.id} erasure={erasure} onOpen={setOpen} />
            ))}
          </ul>
        </>
      )}
      <ErasureDialogs open={open} onEnd={() => setOpen(null)} />
    </Page>
  )
}

/** An id is no name: it may stand in the address. */
function Find({ subject }: { subject: string | undefined }) {
  const navigate = useNavigate()
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault()
    const id = String(new FormData(event.currentTarget).get('subject') ?? '').trim()
    void navigate({ to: '/erasure', search: id === '' ? {} : { subject: id } })
  }
  return (
    <form onSubmit={submit} key={subject}>
      <Group align="flex-end" gap="sm" mb="md">
        <TextInput
          label="Id of a record"
          name="subject"
          defaultValue={subject ?? ''}
          autoComplete="off"
          size="md"
          maw={420}
        />
        <Button type="submit" variant="default" mih={44}>
          Show
        </Button>
      </Group>
    </form>
  )
}

interface OneRecordProps {
  readonly subject: string
  readonly erasedAt: number | null
  readonly onOpen: (open: Open) => void
}

function OneRecord({ subject, erasedAt, onOpen }: OneRecordProps) {
  const whyNotErase = useWhyNot('create', 'erasure')
  const whyNotHold = useWhyNot('create', 'legal-hold')
  if (erasedAt !== null)
    return (
      <Text mb="md" fw={600}>
        This record was erased <Age at={erasedAt} />. Nothing of it can be read again.
      </Text>
    )
  return (
    <Group mb="md" gap="sm">
      <Button
        variant="default"
        mih={44}
        disabled={whyNotHold !== null}
        title={whyNotHold ?? undefined}
        onClick={() => onOpen({ hold: subject })}
      >
        Place a legal hold
      </Button>
      <Button
        variant="default"
        color="red"
        mih={44}
        disabled={whyNotErase !== null}
        title={whyNotErase ?? undefined}
        onClick={() => onOpen({ propose: subject })}
      >
        Propose to erase this record
      </Button>
    </Group>
  )
}

function HoldRow({ hold, onOpen }: { hold: LegalHoldView; onOpen: (open: Open) => void }) {
  const why = useWhyNot('act', 'legal-hold')
  const stands = hold.releasedAt === undefined
  return (
    <li className={rows.row}>
      <div className={rows.what}>
        <Badge variant={stands ? 'filled' : 'light'}>{stands ? 'Legal hold' : 'Hold released'}</Badge>{' '}
        <code>{hold.subject}</code>
        <div>{hold.reason ?? 'Its reason went with the record.'}</div>
        <div className={rows.soft}>
          placed <Age at={hold.placedAt} />
          {hold.releasedAt === undefined ? null : (
            <>
              , released <Age at={hold.releasedAt} />
              {hold.releaseReason === undefined ? '' : `: ${hold.releaseReason}`}
            </>
          )}
        </div>
      </div>
      {stands ? (
        <div className={rows.acts}>
          <Button
            variant="default"
            mih={44}
            disabled={why !== null}
            title={why ?? undefined}
            onClick={() => onOpen({ release: hold })}
          >
            Release
          </Button>
        </div>
      ) : null}
    </li>
  )
}

const statusWords = { proposed: 'Proposed', executed: 'Erased', refused: 'Refused', withdrawn: 'Withdrawn' } as const

function ProposalRow({ erasure, onOpen }: { erasure: ErasureView; onOpen: (open: Open) => void }) {
  const me = useMe()
  const mayNot = useWhyNot('act', 'erasure')
  const isOwn = erasure.proposedBy === `staff:${me.id}`
  const why = isOwn ? 'You proposed it: another person decides.' : mayNot
  return (
    <li className={rows.row}>
      <div className={rows.what}>
        <Title order={2} size="h4">
          {statusWords[erasure.status]}: <code>{erasure.subject}</code>
        </Title>
        <div>{erasureBases[erasure.basis]}</div>
        <div>{erasure.reason ?? 'The words of the reason went with the record.'}</div>
        <div className={rows.soft}>
          proposed <Age at={erasure.proposedAt} />
          {erasure.decidedAt === undefined ? null : (
            <>
              , decided <Age at={erasure.decidedAt} />
            </>
          )}
        </div>
      </div>
      {erasure.status === 'proposed' ? (
        <div className={rows.acts}>
          {isOwn ? (
            <Button variant="default" mih={44} onClick={() => onOpen({ withdraw: erasure })}>
              Withdraw
            </Button>
          ) : null}
          <Button
            variant="default"
            mih={44}
            disabled={why !== null}
            title={why ?? undefined}
            onClick={() => onOpen({ decide: erasure })}
          >
            Decide
          </Button>
        </div>
      ) : null}
    </li>
  )
}
