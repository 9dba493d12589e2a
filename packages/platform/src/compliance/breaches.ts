/**
 * Breach assessments: what happened (sealed), whose access it was, and from the trail whom it affects; the four factors, the decision,
 * the clocks. The list of affected people is kept with the assessment, as it stood when it was computed.
 */
import type {
  AffectedPeople,
  BreachDecision,
  BreachFactor,
  BreachList,
  BreachScope,
  BreachStep,
  BreachView,
  NewBreach,
} from '@careloop/contract'
import type { Selectable, Updateable } from 'kysely'
import { type AuditAction, record, recordsTouched } from '../audit/index.ts'
import type { TenantTx } from '../engine/index.ts'
import { breachDeadlines } from './breach-deadlines.ts'
import { complianceFailure } from './errors.ts'
import { type ComplianceParts, namesOfActors, type Office } from './office.ts'
import type { ComplianceTables } from './schema.ts'

type Row = Selectable<ComplianceTables['breach']>

/** A browser's clock may run ahead of ours. */
const clockToleranceMs = 5 * 60_000

interface Body {
  readonly what: string
  readonly factors: Readonly<Record<BreachFactor, string>> | null
}

/** @throws Failure `breach-not-yet`: a day that is still to come would give its clock more than 60 days */
export async function openBreach(parts: ComplianceParts, office: Office, wanted: NewBreach): Promise<BreachView> {
  const { engine } = parts
  const id = engine.ids.uuid()
  const now = engine.clock.now()
  if (wanted.discoveredAt > now + clockToleranceMs)
    throw complianceFailure(
      'breach-not-yet',
      'It was not discovered yet. Give the moment at which it was first known.',
      {
        pointer: '/body/discoveredAt',
      },
    )
  const { scope, discoveredAt, what } = wanted
  const sealed = await sealBody(parts, office.tenant, id, { what, factors: null })
  await engine.db.asTenant(office.tenant, async (tx) => {
    await tx
      .tables<ComplianceTables>()
      .insertInto('breach')
      .values({
        ...{ id, status: 'assessing', discovered_at: discoveredAt, opened_at: now, opened_by: office.actor },
        ...{ scope_from: scope.from, scope_to: scope.to, actors: scope.actors, subjects: scope.subjects },
        ...{ affected: 0, computed_at: now, version: 1, ...sealed },
      })
      .execute()
    await keepAffected(tx, id, scope, now)
    await told(tx, office, 'create', id)
  })
  return readBreach(parts, office, id)
}

/** Computes anew whom it affects: what was written since the first time counts too. @throws Failure `breach-not-found`, `breach-moved` */
export async function recomputeBreach(
  parts: ComplianceParts,
  office: Office,
  id: string,
  version: number,
): Promise<BreachView> {
  await changeBreach(parts, office, id, version, async (tx, row) => {
    await keepAffected(tx, id, scopeOf(row), parts.engine.clock.now())
    return {}
  })
  return readBreach(parts, office, id)
}

/** @throws Failure `breach-not-found`, `breach-moved` */
export async function decideBreach(
  parts: ComplianceParts,
  office: Office,
  id: string,
  wanted: BreachDecision,
): Promise<BreachView> {
  await changeBreach(parts, office, id, wanted.version, async (_, row) => {
    const { what } = await openBody(parts, office.tenant, row)
    return { status: wanted.outcome, ...(await sealBody(parts, office.tenant, id, { what, factors: wanted.factors })) }
  })
  return readBreach(parts, office, id)
}

/**
 * Notes that somebody was told, or closes it. Closing a notifiable breach needs everybody told whom the law names.
 * @throws Failure `breach-not-found`, `breach-moved`, `breach-step-unfit`
 */
export async function stepBreach(
  parts: ComplianceParts,
  office: Office,
  id: string,
  { step, version }: BreachStep,
): Promise<BreachView> {
  const now = parts.engine.clock.now()
  await changeBreach(parts, office, id, version, async (_, row) => {
    if (
      row.status === 'closed' ||
      row.status === 'assessing' ||
      (row.status === 'low-probability' && step !== 'closed')
    )
      throw unfit('This step comes after the decision that people must be told. Decide first.')
    if (step === 'individuals') return { individuals_at: now }
    if (step === 'hhs') return { hhs_at: now }
    if (step === 'media') return { media_at: now }
    const { media } = breachDeadlines(Number(row.discovered_at), row.affected)
    const waits = row.individuals_at === null || row.hhs_at === null || (media !== null && row.media_at === null)
    if (row.status === 'notifiable' && waits)
      throw unfit('Somebody was not told yet whom the law names. Note each first.')
    return { status: 'closed' }
  })
  return readBreach(parts, office, id)
}

export async function listBreaches(parts: ComplianceParts, office: Office): Promise<BreachList> {
  const rows = await parts.engine.db.asTenant(office.tenant, async (tx) => {
    await told(tx, office, 'read', undefined)
    return tx
      .tables<ComplianceTables>()
      .selectFrom('breach')
      .selectAll()
      .orderBy('opened_at', 'desc')
      .limit(200)
      .execute()
  })
  return { items: await Promise.all(rows.map((row) => viewOf(parts, office, row))) }
}

/** @throws Failure `breach-not-found` */
export async function readBreach(parts: ComplianceParts, office: Office, id: string): Promise<BreachView> {
  const row = await parts.engine.db.asTenant(office.tenant, async (tx) => {
    await told(tx, office, 'read', id)
    return rowOf(tx, id)
  })
  return viewOf(parts, office, row)
}

const pageSize = 500

/** @throws Failure `breach-not-found` */
export const affectedPeople = (
  { engine }: ComplianceParts,
  office: Office,
  id: string,
  after?: string,
): Promise<AffectedPeople> =>
  engine.db.asTenant(office.tenant, async (tx) => {
    await rowOf(tx, id)
    let query = tx.tables<ComplianceTables>().selectFrom('breach_person').selectAll().where('breach_id', '=', id)
    if (after !== undefined) query = query.where('subject_id', '>', after)
    const rows = await query
      .orderBy('subject_id')
      .limit(pageSize + 1)
      .execute()
    const items = rows.slice(0, pageSize).map((row) => ({
      ...{ subject: row.subject_id, firstAt: Number(row.first_at), lastAt: Number(row.last_at), times: row.times },
    }))
    // Whoever is on the list has had their record touched once more: that somebody learnt that they are.
    const { actor, requestId } = office
    const subjects = items.map(({ subject }) => subject)
    await record(tx, { actor, requestId, action: 'read', resource: 'breach', id, subjects, purpose: 'HOPERAT' })
    return { items, next: rows.length > pageSize ? items.at(-1)!.subject : null }
  })

// ---------------------------------------------------------------- parts

async function keepAffected(tx: TenantTx, id: string, scope: BreachScope, now: number): Promise<void> {
  const tables = tx.tables<ComplianceTables>()
  const found = await recordsTouched(tx, scope)
  await tables.deleteFrom('breach_person').where('breach_id', '=', id).execute()
  await tx.client.query(
    `insert into tenant.breach_person (breach_id, subject_id, first_at, last_at, times)
       select $1, * from unnest($2::uuid[], $3::bigint[], $4::bigint[], $5::int[])`,
    [
      id,
      found.map(({ subject }) => subject),
      found.map(({ firstAt }) => Math.floor(firstAt)),
      found.map(({ lastAt }) => Math.ceil(lastAt)),
      found.map(({ times }) => times),
    ],
  )
  await tables.updateTable('breach').set({ affected: found.length, computed_at: now }).where('id', '=', id).execute()
}

type Changes = Updateable<ComplianceTables['breach']>

async function changeBreach(
  { engine }: ComplianceParts,
  office: Office,
  id: string,
  version: number,
  make: (tx: TenantTx, row: Row) => Promise<Changes>,
): Promise<void> {
  await engine.db.asTenant(office.tenant, async (tx) => {
    const row = await rowOf(tx, id, 'for update')
    if (row.version !== version)
      throw complianceFailure('breach-moved', 'Somebody changed this assessment meanwhile. Read it again, then act.', {
        pointer: '/body/version',
      })
    const changes = { ...(await make(tx, row)), version: version + 1 }
    await tx.tables<ComplianceTables>().updateTable('breach').set(changes).where('id', '=', id).execute()
    await told(tx, office, 'update', id)
  })
}

async function rowOf(tx: TenantTx, id: string, lock?: 'for update'): Promise<Row> {
  const query = tx.tables<ComplianceTables>().selectFrom('breach').selectAll().where('id', '=', id)
  const row = await (lock ? query.forUpdate() : query).executeTakeFirst()
  if (row !== undefined) return row
  throw complianceFailure('breach-not-found', 'No assessment has this id.', { pointer: '/params/id' })
}

async function told(
  tx: TenantTx,
  { actor, requestId }: Office,
  action: AuditAction,
  id: string | undefined,
): Promise<void> {
  await record(tx, { actor, requestId, action, resource: 'breach', id, purpose: 'HOPERAT' })
  if (action !== 'read' && id !== undefined) await tx.publish({ type: 'BreachChanged', breach: id })
}

const scopeOf = (row: Row): BreachScope => ({
  ...{ actors: row.actors, subjects: row.subjects, from: Number(row.scope_from), to: Number(row.scope_to) },
})

async function viewOf(parts: ComplianceParts, office: Office, row: Row): Promise<BreachView> {
  const nameOf = await namesOfActors(parts, office.tenant)
  const { what, factors } = await openBody(parts, office.tenant, row)
  const due = breachDeadlines(Number(row.discovered_at), row.affected)
  const clock = (dueAt: number, doneAt: string | null) => ({ dueAt, doneAt: doneAt === null ? null : Number(doneAt) })
  return {
    ...{ id: row.id, status: row.status, discoveredAt: Number(row.discovered_at), what, scope: scopeOf(row), factors },
    ...{
      affected: row.affected,
      computedAt: Number(row.computed_at),
      openedBy: nameOf(row.opened_by),
      version: row.version,
    },
    deadlines: {
      individuals: clock(due.individuals, row.individuals_at),
      hhs: clock(due.hhs, row.hhs_at),
      media: due.media === null ? null : clock(due.media, row.media_at),
    },
  }
}

const place = (tenant: string, id: string) => `breach:${tenant}:${id}:body`

async function sealBody({ engine }: ComplianceParts, tenant: string, id: string, body: Body) {
  const key = await engine.keys.keyFor('tenant', tenant)
  return { key_id: key.id, body: key.seal(Buffer.from(JSON.stringify(body)), place(tenant, id)) }
}

async function openBody({ engine }: ComplianceParts, tenant: string, row: Row): Promise<Body> {
  const key = await engine.keys.key(row.key_id)
  return JSON.parse(key.open(row.body, place(tenant, row.id)).toString()) as Body
}

const unfit = (message: string) => complianceFailure('breach-step-unfit', message, { pointer: '/body/step' })
