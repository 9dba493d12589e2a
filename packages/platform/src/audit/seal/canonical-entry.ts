/**
 * An entry as the tree hashes it: one line of JSON, an array in fixed order, so that there is one way only to write it. It is also
 * the line of an export: whoever verifies hashes the line as it stands. docs/security/audit.md describes it; a change of the order or
 * the number of fields is a new version word.
 */
import { hash } from 'node:crypto'

export const ENTRY_VERSION = 'audit-entry-1'

/** Every column of `tenant.audit_entry`, as text where JSON has no exact number for it. */
export interface EntryRow {
  readonly tenant_id: string
  readonly id: string
  readonly xid: string
  /** Microseconds since 1970-01-01Z. */
  readonly at_us: string
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

/** For SQL: the columns of `EntryRow`. */
export const ENTRY_COLUMNS = `tenant_id::text, id::text, xid::text, (extract(epoch from at) * 1000000)::bigint::text as at_us,
  principal_kind, principal_id, action, outcome, resource, resource_id, subject_id::text, purpose, request_id,
  detail_key_id::text, detail, times`

/** Without a line's end. The sealed detail goes in by the hash of its ciphertext: erasing a person's key changes nothing here. */
export function canonicalEntry(row: EntryRow): string {
  return JSON.stringify([
    ...[ENTRY_VERSION, row.tenant_id, row.id, row.xid, row.at_us, row.principal_kind, row.principal_id],
    ...[row.action, row.outcome, row.resource, row.resource_id, row.subject_id, row.purpose, row.request_id],
    ...[row.detail_key_id, row.detail === null ? null : hash('sha256', row.detail, 'hex'), row.times],
  ])
}

/** What a line says; undefined when it is no entry of this version. */
export function parseCanonicalEntry(
  line: string,
): (Omit<EntryRow, 'detail'> & { detail_sha256: string | null }) | undefined {
  const said: unknown = JSON.parse(line)
  if (!Array.isArray(said) || said[0] !== ENTRY_VERSION || said.length !== 17) return undefined
  const [, tenant_id, id, xid, at_us, principal_kind, principal_id, action, outcome, resource, ...rest] = said
  const [resource_id, subject_id, purpose, request_id, detail_key_id, detail_sha256, times] = rest
  const who = { tenant_id, id, xid, at_us, principal_kind, principal_id, action, outcome, resource }
  return { ...who, ...{ resource_id, subject_id, purpose, request_id, detail_key_id, detail_sha256, times } }
}
