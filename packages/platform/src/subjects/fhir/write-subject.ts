/** A Patient, Device or Location that a record system writes, made a subject or put in place of what it was, in the transaction of that write. */
import { type SubjectResource, TimeZone } from '@careloop/contract'
import { sql } from 'kysely'
import type { Engine, TenantTx } from '../../engine/index.ts'
import { may } from '../../identity/index.ts'
import { kindOf } from '../body.ts'
import type { By } from '../by.ts'
import { subjectFailure } from '../errors.ts'
import { assertKeysFree, hashKeysOf } from '../identifiers.ts'
import { type SubjectsTables, toMs } from '../schema.ts'
import { openText, sealText } from '../sealed-resource.ts'
import { type Sight, sightOf } from '../sight.ts'
import { assertKept, assertKindSeen, assertSeen, finish, rowForUpdate } from '../subject-store.ts'

export interface FhirWrite {
  readonly resource: SubjectResource
  /** FHIR JSON as it is kept, decimals spelled as they came. */
  readonly text: string
  /** IANA zone that the resource says; one that nobody knows is as none. */
  readonly timeZone?: string | undefined
}

/**
 * Makes a subject. Its zone is what the resource says, else that of the organisation's first site, else UTC; it is put into a care team
 * of whoever sends it where they would not see it otherwise.
 * @returns its id, which is ours whatever FHIR calls it
 * @throws Failure `subject-kind-refused`, `subject-out-of-sight`, `identifier-taken`, `subject-too-large`
 */
export async function createByFhir(engine: Engine, tx: TenantTx, by: By, write: FhirWrite): Promise<string> {
  const making = makingBy(by)
  const { resource, text } = write
  assertKindSeen(making, resource)
  const id = engine.ids.uuid()
  const team = teamOf(making.sight, kindOf(resource))
  const timeZone = zoneOf(write) ?? (await zoneOfSites(tx)) ?? 'UTC'
  assertKept(making, id, { timeZone, resource, ...(team === null ? {} : { team }) })
  const keys = await hashKeysOf(engine, tx.tenant, resource)
  await assertKeysFree(tx, null, keys)
  const keyId = await engine.keys.create(tx, 'subject', id)
  const now = engine.clock.now()
  await tx
    .tables<SubjectsTables>()
    .insertInto('subject')
    .values({
      ...{ id, kind: kindOf(resource), time_zone: timeZone, site_id: null, team_id: team, key_id: keyId, version: 1 },
      ...{ by_fhir: true, created_at: now, updated_at: now },
      body: sealText(await engine.keys.key(keyId), tx.tenant, id, text),
    })
    .execute()
  await finish(tx, making, 'create', id, keys)
  return id
}

/**
 * Puts what was sent in place of what stands; site and team stay as they are, and the zone where none is said. The same again changes
 * nothing.
 * @param seenAt ms: what stood when whoever writes read it
 * @throws Failure `subject-not-found`, `subject-moved`, `identifier-taken`, `subject-too-large`
 */
export async function updateByFhir(
  engine: Engine,
  tx: TenantTx,
  by: By,
  { subject, seenAt, ...write }: FhirWrite & { readonly subject: string; readonly seenAt: number },
): Promise<void> {
  const keys = await hashKeysOf(engine, tx.tenant, write.resource)
  const row = await rowForUpdate(tx, subject)
  assertSeen(row, by)
  const key = await engine.keys.key(row.key_id)
  if (row.by_fhir && openText(key, tx.tenant, subject, row.body) === write.text) return
  // A page changed it, and FHIR shows that in a moment: whoever writes now has not seen it.
  if (toMs(row.updated_at) > seenAt)
    throw subjectFailure('subject-moved', 'Somebody changed this meanwhile. Read it again and repeat the change.')
  await assertKeysFree(tx, subject, keys)
  await tx
    .tables<SubjectsTables>()
    .updateTable('subject')
    .set({
      ...{ time_zone: zoneOf(write) ?? row.time_zone, by_fhir: true, version: row.version + 1 },
      ...{ updated_at: engine.clock.now(), touched: sql<string>`pg_current_xact_id()::text::bigint` },
      body: sealText(key, tx.tenant, subject, write.text),
    })
    .where('id', '=', subject)
    .execute()
  await finish(tx, by, 'update', subject, keys)
}

/** To put what is not there is to make it: the right to change does not include that. @throws Failure `subject-kind-refused` */
function makingBy(by: By): By {
  if (by.who === undefined) return by
  if (!may(by.who, 'create', 'subject'))
    throw subjectFailure('subject-kind-refused', 'Your roles do not take in new subjects. Ask a colleague.')
  return { ...by, sight: sightOf(by.who, 'create', 'subject') }
}

const zoneOf = ({ timeZone }: FhirWrite): string | undefined => TimeZone.safeParse(timeZone).data

async function zoneOfSites(tx: TenantTx): Promise<string | undefined> {
  const { rows } = await tx.client.query<{ time_zone: string }>(
    'select time_zone from tenant.site where tenant_id = $1 order by created_at, id limit 1',
    [tx.tenant],
  )
  return rows[0]?.time_zone
}

/** Null: they see patients without a team, or all of the kind. */
function teamOf(sight: Sight | undefined, kind: ReturnType<typeof kindOf>): string | null {
  if (kind !== 'patient' || sight?.reach === undefined || sight.reach.teamless) return null
  return sight.reach.teams[0] ?? null
}
