/**
 * What went to somebody outside, for the accounting of disclosures (45 CFR 164.528): written in the transaction that reads what goes
 * out, with an audit entry `export`. What it was stands sealed under the person's key.
 */
import type { ConsentPurpose, Part2Label } from '@careloop/contract'
import { type PurposeOfUse, record } from '../../audit/index.ts'
import type { Engine, TenantTx } from '../../engine/index.ts'
import type { By } from '../by.ts'
import { type DisclosureTable, type SubjectsTables, toMs } from '../schema.ts'

export type RecipientKind = DisclosureTable['recipient_kind']

export interface Recipient {
  readonly kind: RecipientKind
  /** Opaque: account, service token, study. */
  readonly id: string | null
  /** Of somebody without an account here. Sealed. */
  readonly name?: string | undefined
}

/** What the accounting says of one disclosure. */
export interface DisclosedThing {
  /** In few words: "Readings: heart-rate, spo2". */
  readonly description: string
  readonly labels: readonly Part2Label[]
  /** The redisclosure notice went with it. */
  readonly noticed: boolean
  readonly courtOrder?: string | undefined
  readonly recipient?: string | undefined
}

export interface NewDisclosure {
  readonly subject: string
  readonly recipient: Recipient
  readonly purpose: ConsentPurpose
  /** Which allowed it; null = the law did. */
  readonly consent: string | null
  readonly what: Omit<DisclosedThing, 'recipient'>
}

export interface Disclosure {
  readonly id: string
  readonly subject: string
  readonly at: number
  readonly recipient: Recipient
  readonly purpose: ConsentPurpose
  readonly consent: string | null
  readonly actor: string
  readonly what: DisclosedThing
}

const place = (tenant: string, id: string) => `disclosure:${tenant}:${id}`

/** The audit trail has fewer words: research and courts are told from the row of the disclosure. */
const purposeOf: Readonly<Record<ConsentPurpose, PurposeOfUse>> = {
  ...{ TREAT: 'TREAT', HPAYMT: 'HPAYMT', HOPERAT: 'HOPERAT', PATRQT: 'PATRQT' },
  ...{ HRESCH: 'HOPERAT', HLEGAL: 'HOPERAT' },
}

export async function recordDisclosure(
  engine: Engine,
  tx: TenantTx,
  by: Pick<By, 'actor' | 'requestId'>,
  { subject, recipient, purpose, consent, what }: NewDisclosure,
): Promise<string> {
  const id = engine.ids.uuid()
  const tables = tx.tables<SubjectsTables>()
  const { key_id } = await tables
    .selectFrom('subject')
    .select('key_id')
    .where('id', '=', subject)
    .executeTakeFirstOrThrow()
  const key = await engine.keys.key(key_id)
  const thing: DisclosedThing = { ...what, recipient: recipient.name }
  await tables
    .insertInto('disclosure')
    .values({
      ...{ id, subject_id: subject, at: engine.clock.now(), purpose, consent_id: consent, actor: by.actor, key_id },
      ...{ recipient_kind: recipient.kind, recipient_id: recipient.id, request_id: by.requestId ?? null },
      what: key.seal(Buffer.from(JSON.stringify(thing)), place(tx.tenant, id)),
    })
    .execute()
  await record(tx, {
    ...{ actor: by.actor, requestId: by.requestId, action: 'export', resource: 'disclosure', id, subject },
    purpose: purposeOf[purpose],
  })
  return id
}

/** Of one person in a span, oldest first; for the accounting. Not audited: the caller says what it shows. @throws Failure `key-destroyed` */
export async function disclosuresOf(
  engine: Engine,
  tx: TenantTx,
  subject: string,
  span: { readonly from: number; readonly to: number },
): Promise<Disclosure[]> {
  const rows = await tx
    .tables<SubjectsTables>()
    .selectFrom('disclosure')
    .selectAll()
    .where('subject_id', '=', subject)
    .where('at', '>=', String(span.from))
    .where('at', '<=', String(span.to))
    .orderBy('at')
    .orderBy('id')
    .execute()
  return Promise.all(
    rows.map(async (row) => {
      const key = await engine.keys.key(row.key_id)
      const what = JSON.parse(key.open(row.what, place(tx.tenant, row.id)).toString()) as DisclosedThing
      return {
        ...{ id: row.id, subject: row.subject_id, at: toMs(row.at), purpose: row.purpose, consent: row.consent_id },
        recipient: { kind: row.recipient_kind, id: row.recipient_id, name: what.recipient },
        ...{ actor: row.actor, what },
      }
    }),
  )
}
