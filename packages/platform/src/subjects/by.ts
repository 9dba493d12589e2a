/** Who does something, in which organisation, and how subjects and fleet record it. */
import type { Action, Resource } from '@careloop/contract'
import { type AuditAction, type AuditEntry, record } from '../audit/index.ts'
import type { TenantTx } from '../engine/index.ts'
import { actorOf, appDetailOf, type Principal } from '../identity/index.ts'
import { subjectFailure } from './errors.ts'
import { purposed } from './purpose.ts'
import { type Sight, sightOf } from './sight.ts'

export interface By {
  readonly tenant: string
  /** `staff:<id>`, `service:<id>`, or `cli` for a person at the server's own console; as audit entries say it. */
  readonly actor: string
  /** The request it belongs to: entries of one request share it. */
  readonly requestId?: string
  /** What of subjects they may know of; absent = all. Others are not there for them. */
  readonly sight?: Sight
  /** The person or program itself, of which consent asks what ties them to a patient; absent = the server or its console. */
  readonly who?: Principal
}

/**
 * @param resource what is shown or changed of the subjects: its right decides which subjects are there
 * @param action what is done with it; a change is held to the subjects that may be changed, not to those that may be read
 */
export const byOf = (
  principal: Principal,
  requestId: string,
  resource: Resource = 'subject',
  action: Action = 'read',
): By => ({
  sight: sightOf(principal, action, resource),
  tenant: principal.tenant,
  actor: actorOf(principal),
  who: principal,
  requestId,
})

/** A person at the server's own console. */
export const byConsole = (tenant: string): By => ({ tenant, actor: 'cli' })

/** What a patient wants, a person hears from them; a program cannot vouch for it. @throws Failure `person-needed` */
export function assertPerson({ who }: By, message: string): void {
  if (who === undefined || who.kind === 'staff') return
  throw subjectFailure('person-needed', `${message} Sign in as a member of staff.`)
}

/** Records an act of somebody in its own transaction. */
export const audited = (
  tx: TenantTx,
  by: By,
  action: AuditAction,
  resource: string,
  what: Pick<AuditEntry, 'id' | 'subjects' | 'purpose' | 'detail'>,
): Promise<void> => record(tx, purposed(by.sight, { ...trailOf(by), action, resource, ...what }))

/** What every entry says of who acts: also through which app, where it is one. */
export const trailOf = ({ actor, requestId, who }: By): Pick<AuditEntry, 'actor' | 'requestId' | 'detail'> => ({
  ...{ actor, requestId, detail: appDetailOf(who) },
})
