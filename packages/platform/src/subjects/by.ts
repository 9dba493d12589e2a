/** Who does something, in which organisation, and how subjects and fleet record it. */
import { type Action, type Resource, SubjectKind } from '@careloop/contract'
import { type AuditAction, type AuditEntry, record } from '../audit/index.ts'
import type { TenantTx } from '../engine/index.ts'
import { actorOf, may, type Principal } from '../identity/index.ts'

export interface By {
  readonly tenant: string
  /** `staff:<id>`, `service:<id>`, or `cli` for a person at the server's own console; as audit entries say it. */
  readonly actor: string
  /** The request it belongs to: entries of one request share it. */
  readonly requestId?: string
  /** Kinds of subject that they may know of; absent = all. Others are not there for them. */
  readonly kinds?: readonly SubjectKind[]
}

const allKinds = SubjectKind.options

/** Kinds of subject of which somebody may do this: what a role sees of fridges it does not see of patients. */
export const kindsOf = (principal: Principal, action: Action, resource: Resource): readonly SubjectKind[] =>
  allKinds.filter((kind) => may(principal, action, resource, { kind }))

/**
 * @param resource what is shown or changed of the subjects: its right decides which kinds are there
 * @param action what is done with it; a change is held to the kinds that may be changed, not to those that may be read
 */
export const byOf = (
  principal: Principal,
  requestId: string,
  resource: Resource = 'subject',
  action: Action = 'read',
): By => ({
  kinds: kindsOf(principal, action, resource),
  tenant: principal.tenant,
  actor: actorOf(principal),
  requestId,
})

/** A person at the server's own console. */
export const byConsole = (tenant: string): By => ({ tenant, actor: 'cli' })

/** Records an act of somebody in its own transaction. */
export const audited = (
  tx: TenantTx,
  by: By,
  action: AuditAction,
  resource: string,
  what: Pick<AuditEntry, 'id' | 'subjects' | 'purpose' | 'detail'>,
): Promise<void> => record(tx, { actor: by.actor, requestId: by.requestId, action, resource, ...what })

/** Whether this subject exists and is of one of the kinds. */
export async function isOfKind(tx: TenantTx, id: string, kinds: readonly SubjectKind[] | undefined): Promise<boolean> {
  if (kinds === undefined || kinds.length === allKinds.length) return true
  const query = 'select from tenant.subject where tenant_id = $1 and id = $2 and kind = any($3)'
  return (await tx.client.query(query, [tx.tenant, id, kinds])).rowCount !== 0
}
