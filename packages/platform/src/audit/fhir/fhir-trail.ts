/** An export as lines of AuditEvent. It cannot be verified: the export in our own form can. */
import type { AuditAction, AuditOutcome, PurposeOfUse } from '../entry.ts'
import { parseCanonicalEntry } from '../seal/canonical-entry.ts'
import { toAuditEvent } from './audit-event.ts'

export async function* fhirTrail(lines: AsyncIterable<string>): AsyncGenerator<string> {
  for await (const line of lines) {
    const row = line.startsWith('[') ? parseCanonicalEntry(line) : undefined
    if (row === undefined) continue
    const { principal_kind: kind, principal_id: id } = row
    const event = toAuditEvent({
      ...{ tenant: row.tenant_id, id: row.id, at: Math.floor(Number(row.at_us) / 1000) },
      actor: kind === id ? kind : `${kind}:${id}`,
      action: row.action as AuditAction,
      outcome: row.outcome as AuditOutcome,
      ...{ resource: row.resource, resourceId: row.resource_id, subject: row.subject_id },
      ...{ purpose: row.purpose as PurposeOfUse, requestId: row.request_id, times: row.times },
    })
    yield `${JSON.stringify(event)}\n`
  }
}
