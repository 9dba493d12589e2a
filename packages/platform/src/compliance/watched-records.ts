/** Records that are looked after more closely, and what was found unusual, as compliance reads and keeps them. */
import type { UnusualAccessList, WatchedRecords, WatchRecord } from '@careloop/contract'
import { record } from '../audit/index.ts'
import { checkedUntil } from './find-unusual.ts'
import { type ComplianceParts, namesOfActors, type Office, subjectAbout } from './office.ts'
import type { ComplianceTables } from './schema.ts'

/** Newest first; a year of findings is more than anybody reads. */
const mostShown = 500

export async function listUnusual(parts: ComplianceParts, office: Office): Promise<UnusualAccessList> {
  const nameOf = await namesOfActors(parts, office.tenant)
  return parts.engine.db.asTenant(office.tenant, async (tx) => {
    const { rows } = await tx.client.query<UnusualRow>(
      `select id, kind, to_char(day, 'YYYY-MM-DD') as day, user_id, subject_id, count, usual, found_at
         from tenant.unusual_access where tenant_id = $1 order by day desc, id desc limit $2`,
      [tx.tenant, mostShown],
    )
    const { actor, requestId } = office
    await record(tx, { actor, requestId, action: 'search', resource: 'audit', purpose: 'HOPERAT' })
    const items = rows.map(({ id, kind, day, user_id, subject_id, count, usual, found_at }) => ({
      ...{ id, kind, day, count, usual, subject: subject_id, foundAt: Number(found_at) },
      by: nameOf(`staff:${user_id}`),
    }))
    return { items, checkedUntil: await checkedUntil(tx) }
  })
}

interface UnusualRow {
  readonly id: string
  readonly kind: 'volume' | 'own-name' | 'watched-record'
  readonly day: string
  readonly user_id: string
  readonly subject_id: string | null
  readonly count: number | null
  readonly usual: number | null
  readonly found_at: string
}

export async function listWatched(parts: ComplianceParts, office: Office): Promise<WatchedRecords> {
  const nameOf = await namesOfActors(parts, office.tenant)
  const rows = await parts.engine.db.asTenant(office.tenant, async (tx) => {
    const found = await tx
      .tables<ComplianceTables>()
      .selectFrom('watched_record')
      .selectAll()
      .orderBy('since', 'desc')
      .execute()
    const { actor, requestId } = office
    const subjects = found.map(({ subject_id }) => subject_id)
    await record(tx, { actor, requestId, action: 'read', resource: 'watched-record', subjects, purpose: 'HOPERAT' })
    return found
  })
  return {
    items: rows.map(({ subject_id, since, by_actor }) => ({
      subject: subject_id,
      since: Number(since),
      by: nameOf(by_actor),
    })),
  }
}

/** Again is fine: the newer reason counts. @throws Failure `record-not-found` */
export async function watchRecord(parts: ComplianceParts, office: Office, wanted: WatchRecord): Promise<void> {
  const { engine } = parts
  const { tenant, actor, requestId } = office
  const subject = await subjectAbout(parts, office, wanted.about)
  const key = await engine.keys.keyFor('tenant', tenant)
  const reason = key.seal(Buffer.from(wanted.reason), `watched-record:${tenant}:${subject}`)
  await engine.db.asTenant(tenant, async (tx) => {
    const row = { since: engine.clock.now(), by_actor: actor, key_id: key.id, reason }
    await tx
      .tables<ComplianceTables>()
      .insertInto('watched_record')
      .values({ subject_id: subject, ...row })
      .onConflict((conflict) => conflict.columns(['tenant_id', 'subject_id']).doUpdateSet(row))
      .execute()
    await record(tx, { actor, requestId, action: 'create', resource: 'watched-record', subject, purpose: 'HOPERAT' })
  })
}

/** Again is fine. */
export const unwatchRecord = ({ engine }: ComplianceParts, office: Office, subject: string): Promise<void> =>
  engine.db.asTenant(office.tenant, async (tx) => {
    const { actor, requestId } = office
    await tx.tables<ComplianceTables>().deleteFrom('watched_record').where('subject_id', '=', subject).execute()
    await record(tx, { actor, requestId, action: 'delete', resource: 'watched-record', subject, purpose: 'HOPERAT' })
  })
