import type { RowWriter, TenantTx } from '../engine/index.ts'
import type { AuditEntry } from './entry.ts'
import { auditFailure } from './errors.ts'

/**
 * Records what is done, in the same transaction as the deed: no act without its entry, no entry without the act. (A refusal is
 * therefore recorded in a transaction of its own.)
 * @param entries one, or several of one request
 * @throws Failure `audit-not-opaque`, with a pointer, when a field holds what cannot be an opaque id; `audit-not-written`
 */
export async function record(tx: TenantTx, entries: AuditEntry | readonly AuditEntry[]): Promise<void> {
  const list: readonly AuditEntry[] = 'action' in entries ? [entries] : entries
  const rows = list.flatMap((entry) => rowsOf(tx.tenant, entry))
  if (rows.length > 0) await tx.write(insertEntries, rows)
}

/** One prepared statement for every act of every tenant: nothing is read or changed without passing here. */
const insertEntries: RowWriter<Row> = async (tx, rows) => {
  const column = <K extends keyof Row>(name: K): Row[K][] => rows.map((row) => row[name])
  const { rowCount } = await tx.client.query({ ...INSERT, values: COLUMNS.map(column) })
  // A trigger that answers null drops a row and tells nobody: no audit, no access.
  if (rowCount !== rows.length)
    throw auditFailure('audit-not-written', `The database took ${rowCount} of ${rows.length} audit entries.`)
}

interface Row {
  readonly tenant_id: string
  readonly principal_kind: string
  readonly principal_id: string
  readonly action: string
  readonly outcome: string
  readonly resource: string
  readonly resource_id: string | null
  readonly subject_id: string | null
  readonly purpose: string
  readonly request_id: string | null
  readonly detail_key_id: string | null
  readonly detail: Buffer | null
  readonly times: number
}

const TYPES = {
  tenant_id: 'uuid',
  principal_kind: 'text',
  principal_id: 'text',
  action: 'text',
  outcome: 'text',
  resource: 'text',
  resource_id: 'text',
  subject_id: 'uuid',
  purpose: 'text',
  request_id: 'text',
  detail_key_id: 'uuid',
  detail: 'bytea',
  times: 'int',
} as const satisfies Record<keyof Row, string>
const COLUMNS = Object.keys(TYPES) as (keyof Row)[]
const INSERT = {
  name: 'careloop-audit',
  text: `insert into tenant.audit_entry (${COLUMNS.join(', ')})
         select e.* from unnest(${COLUMNS.map((name, at) => `$${at + 1}::${TYPES[name]}[]`).join(', ')}) as e`,
}

function rowsOf(tenant_id: string, entry: AuditEntry): Row[] {
  refuseSpeaking(entry)
  const [kind, id = kind] = splitActor(entry.actor)
  const own = entry.subject ?? (entry.resource === 'subject' ? entry.id : undefined)
  const subjects = new Set([...(own === undefined ? [] : [own]), ...(entry.subjects ?? [])])
  const base = {
    tenant_id,
    principal_kind: kind,
    principal_id: id,
    action: entry.action,
    outcome: entry.outcome ?? (entry.action === 'denied' ? 'denied' : 'success'),
    resource: entry.resource,
    resource_id: entry.id ?? null,
    purpose: entry.purpose ?? (subjects.size > 0 ? 'TREAT' : 'HOPERAT'),
    request_id: entry.requestId ?? null,
    detail_key_id: entry.detail?.keyId ?? null,
    detail: entry.detail ? Buffer.from(entry.detail.sealed) : null,
    times: entry.times ?? 1,
  }
  if (subjects.size === 0) return [{ ...base, subject_id: null }]
  return [...subjects].map((subject_id) => ({ ...base, subject_id }))
}

function splitActor(actor: string): [kind: string, id?: string] {
  const colon = actor.indexOf(':')
  return colon < 0 ? [actor] : [actor.slice(0, colon), actor.slice(colon + 1)]
}

const ACTOR = /^((staff|service|device|display|system|patient):[A-Za-z0-9._-]{1,64}|cli|anonymous)$/
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i
const KIND = /^[a-z][a-z0-9-]{0,63}$/
/** Ids are made by machines: no blanks, no `@`, nothing that reads like a name with its umlauts. `$`: operations of FHIR, as routes. */
const ID = /^[A-Za-z0-9._:/$-]{1,128}$/

/** The trail is kept for years in plaintext: a name that slips in by mistake could never be taken out again. */
function refuseSpeaking(entry: AuditEntry): void {
  const refuse = (field: string) => {
    const message = `The field ${field} of an audit entry takes opaque ids only. Put what speaks into the sealed detail.`
    throw auditFailure('audit-not-opaque', message, { pointer: `/${field}` })
  }
  if (!ACTOR.test(entry.actor)) refuse('actor')
  if (!KIND.test(entry.resource)) refuse('resource')
  if (entry.id !== undefined && !ID.test(entry.id)) refuse('id')
  if (entry.subject !== undefined && !UUID.test(entry.subject)) refuse('subject')
  if (entry.subjects?.some((subject) => !UUID.test(subject))) refuse('subjects')
  if (entry.resource === 'subject' && entry.id !== undefined && !UUID.test(entry.id)) refuse('id')
  if (entry.requestId !== undefined && !ID.test(entry.requestId)) refuse('requestId')
}
