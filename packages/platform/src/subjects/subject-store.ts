/** Subjects as rows: sealed body, plain codes, one version after another. Every act is audited in its own transaction. */
import {
  Failure,
  type NewSubject,
  type SubjectKind,
  type SubjectResource,
  type SubjectUpdate,
} from '@careloop/contract'
import { type Selectable, sql } from 'kysely'
import type { DataKey, Engine, RowReader, TenantTx } from '../engine/index.ts'
import { displayOf, kindOf, searchWordsOf } from './body.ts'
import { audited, type By } from './by.ts'
import { subjectFailure } from './errors.ts'
import { type HashedKey, hashKeysOf, writeKeys } from './identifiers.ts'
import type { NamedSubject } from './name-index.ts'
import { type SubjectsTables, type SubjectTable, toMs } from './schema.ts'
import { openResource, sealResource } from './sealed-resource.ts'
import { isLasting, type Sight, sees, seesKind, sightCondition, sightTemporary, subjectNotFound } from './sight.ts'
import { assertSite } from './sites.ts'
import type { StaffOf } from './staff.ts'

/** A subject, opened. `display`, `birthDate` and `resource` are PHI. */
export interface Subject extends NamedSubject {
  readonly createdAt: number
  readonly updatedAt: number
  readonly resource: SubjectResource
}

/** @throws Failure `subject-kind-refused`, `identifier-taken`, `site-not-found`, `care-team-not-found`, `subject-too-large` */
export async function createSubject(engine: Engine, by: By, wanted: NewSubject): Promise<Subject> {
  assertKindSeen(by, wanted.resource)
  const id = engine.ids.uuid()
  assertKept(by, id, wanted)
  const keys = await hashKeysOf(engine, by.tenant, wanted.resource)
  const now = engine.clock.now()
  return engine.db.asTenant(by.tenant, async (tx) => {
    const keyId = await engine.keys.create(tx, 'subject', id)
    const stored = { ...columnsOf(wanted), id, key_id: keyId, version: 1, created_at: now, updated_at: now }
    const resource = { ...wanted.resource, id }
    const body = sealResource(await engine.keys.key(keyId), by.tenant, id, resource)
    await assertPlaced(tx, wanted)
    await tx
      .tables<SubjectsTables>()
      .insertInto('subject')
      .values({ ...stored, body })
      .execute()
    await finish(tx, by, 'create', id, keys)
    return named({ ...stored, created_at: String(now), updated_at: String(now) }, resource)
  })
}

/**
 * Puts the whole new state in place of version `wanted.version`.
 * @throws Failure `subject-not-found`, `subject-moved`, `subject-kind-fixed`, `sight-temporary`, `care-team-keeps`, and those of `createSubject`
 */
export async function updateSubject(
  engine: Engine,
  staff: StaffOf,
  by: By,
  id: string,
  wanted: SubjectUpdate,
): Promise<Subject> {
  const keys = await hashKeysOf(engine, by.tenant, wanted.resource)
  // Asked for before the transaction, which must not wait for another connection.
  const working = await workingHere(staff, by)
  const now = engine.clock.now()
  return engine.db.asTenant(by.tenant, async (tx) => {
    const row = await rowForUpdate(tx, id)
    assertSeen(row, by)
    assertSame(row, wanted)
    if (row.team_id !== (wanted.team ?? null)) await assertMayMove(tx, by, row, wanted, working)
    await assertPlaced(tx, wanted)
    const key = await engine.keys.key(row.key_id)
    const resource = { ...wanted.resource, id: row.by_fhir ? (openRow(key, by.tenant, row).resource.id ?? id) : id }
    const body = sealResource(key, by.tenant, id, resource)
    const columns = { ...columnsOf(wanted), version: row.version + 1, updated_at: now }
    await tx
      .tables<SubjectsTables>()
      .updateTable('subject')
      .set({ ...columns, body, touched: sql<string>`pg_current_xact_id()::text::bigint` })
      .where('id', '=', id)
      .execute()
    await finish(tx, by, 'update', id, keys)
    return named({ ...row, ...columns, updated_at: String(now) }, resource)
  })
}

/** One subject, opened; the reading is audited. @throws Failure `subject-not-found`, `key-destroyed` */
export const readSubject = (engine: Engine, by: By, id: string): Promise<Subject> =>
  engine.db.asTenantReading(by.tenant, async (tx) => {
    const row = await tx.readOne(livingRows, id)
    if (row === undefined) throw subjectNotFound('/params/id')
    assertSeen(row, by)
    const subject = openRow(await engine.keys.key(row.key_id), by.tenant, row)
    await audited(tx, by, 'read', 'subject', { id, subjects: [id] })
    return subject
  })

export interface SubjectFilter {
  readonly kind?: SubjectKind | undefined
  readonly sight?: Sight | undefined
  readonly site?: string | undefined
  readonly team?: string | undefined
  readonly after?: string | undefined
  readonly limit: number
}

/** Ids by filter, in the order of creation. */
export async function listSubjectIds(tx: TenantTx, filter: SubjectFilter): Promise<string[]> {
  let query = tx
    .tables<SubjectsTables>()
    .selectFrom('subject')
    .select('id')
    .where('erased_at', 'is', null)
    .orderBy('id')
    .limit(filter.limit)
  if (filter.kind !== undefined) query = query.where('kind', '=', filter.kind)
  if (filter.sight !== undefined) query = query.where(sightCondition(filter.sight))
  if (filter.site !== undefined) query = query.where('site_id', '=', filter.site)
  if (filter.team !== undefined) query = query.where('team_id', '=', filter.team)
  if (filter.after !== undefined) query = query.where('id', '>', filter.after)
  return (await query.execute()).map((row) => row.id)
}

/**
 * Rows of these ids that exist and were not erased, opened, in the order of the ids; a damaged one without its name. Not audited:
 * the caller says what it was for.
 */
export async function openSubjects(engine: Engine, tx: TenantTx, ids: readonly string[]): Promise<NamedSubject[]> {
  if (ids.length === 0) return []
  const rows = await tx
    .tables<SubjectsTables>()
    .selectFrom('subject')
    .selectAll()
    .where('id', 'in', ids)
    .where('erased_at', 'is', null)
    .execute()
  const byId = new Map<string, NamedSubject>()
  await Promise.all(
    rows.map(async (row) => {
      try {
        byId.set(row.id, openRow(await engine.keys.key(row.key_id), tx.tenant, row))
      } catch (error) {
        if (!isErased(error)) byId.set(row.id, damaged(engine, row, error))
      }
    }),
  )
  return ids.flatMap((id) => byId.get(id) ?? [])
}

/** What a person reads in place of a name that cannot be opened: somebody stands behind the alert all the same. */
const damagedDisplay = 'Record that cannot be opened'

/** A row whose key or body is damaged: its plain columns still say what it is and whose, so that what is open about it gets done. */
function damaged(engine: Engine, row: Selectable<SubjectTable>, err: unknown): NamedSubject {
  engine.watch.log.error({ err, subject: row.id }, 'a subject cannot be opened; it is shown without a name')
  const { id, kind, version, time_zone: timeZone, site_id: site, team_id: team } = row
  return { id, kind, version, timeZone, site, team, display: damagedDisplay, birthDate: undefined, words: new Set() }
}

/** Whether a subject does not open because its key was destroyed for ever. */
export const isErased = (error: unknown): boolean => error instanceof Failure && error.code === 'key-destroyed'

export const openRow = (key: DataKey, tenant: string, row: Selectable<SubjectTable>): Subject =>
  named(row, openResource(key, tenant, row.id, row.body))

// ---------------------------------------------------------------- parts

/** @throws Failure `subject-kind-refused` */
export function assertKindSeen(by: By, resource: SubjectResource): void {
  if (seesKind(by.sight, kindOf(resource))) return
  throw subjectFailure('subject-kind-refused', 'Your roles do not take in subjects of this kind. Ask a colleague.', {
    pointer: '/body/resource/resourceType',
  })
}

type Columns = Omit<Selectable<SubjectTable>, 'tenant_id' | 'body' | 'touched' | 'by_fhir' | 'erased_at'>

function named(row: Columns, resource: SubjectResource): Subject {
  return {
    id: row.id,
    kind: row.kind,
    version: row.version,
    display: displayOf(resource),
    birthDate: resource.resourceType === 'Patient' ? resource.birthDate : undefined,
    timeZone: row.time_zone,
    site: row.site_id,
    team: row.team_id,
    words: searchWordsOf(resource),
    createdAt: toMs(row.created_at),
    updatedAt: toMs(row.updated_at),
    resource,
  }
}

/** What a page or a record system wants a subject to be. */
export type Wanted = Omit<NewSubject, 'resource'> & { readonly resource: SubjectResource }

export const columnsOf = (wanted: Wanted) => ({
  kind: kindOf(wanted.resource),
  time_zone: wanted.timeZone,
  site_id: wanted.site ?? null,
  team_id: wanted.team ?? null,
})

/** Whoever takes a patient in, or moves them, does not lose them by a slip: it must be said. @throws Failure `subject-out-of-sight` */
export function assertKept({ sight }: By, id: string, wanted: Wanted): void {
  if (wanted.letGo === true || isLasting(sight, { id, kind: kindOf(wanted.resource), team: wanted.team ?? null }))
    return
  throw subjectFailure(
    'subject-out-of-sight',
    'This care team is not yours: you would no longer see the patient. Choose a team of yours, or confirm that you give the patient to that team.',
    { pointer: '/body/team' },
  )
}

/**
 * Who treats a patient is settled by those who treat them: not by who sees them for a task or in an emergency, and not over the head
 * of a care team in which somebody works.
 * @throws Failure `sight-temporary`, `care-team-keeps`, `subject-out-of-sight`
 */
async function assertMayMove(
  tx: TenantTx,
  by: By,
  row: Selectable<SubjectTable>,
  wanted: SubjectUpdate,
  working: ReadonlySet<string>,
): Promise<void> {
  if (!isLasting(by.sight, placeOf(row))) throw sightTemporary('/body/team')
  if (row.team_id !== null && !isOfTeam(by, row.kind, row.team_id)) {
    const tables = tx.tables<SubjectsTables>()
    // Whoever changes who is in it waits for this.
    await tables.selectFrom('care_team').select('id').where('id', '=', row.team_id).forShare().execute()
    const query = tables.selectFrom('care_team_member').select('user_id').where('team_id', '=', row.team_id)
    const members = await query.execute()
    if (members.some((member) => working.has(member.user_id)))
      throw subjectFailure(
        'care-team-keeps',
        'The patient is in a care team that is not yours. Ask one of its members to give the patient to another team.',
        { pointer: '/body/team' },
      )
  }
  assertKept(by, row.id, wanted)
}

/** Its members; and whoever sees all of the kind: stages and console, and programs of the organisation itself. */
const isOfTeam = ({ sight }: By, kind: SubjectKind, team: string): boolean =>
  sight === undefined || sight.kinds.includes(kind) || sight.reach?.teams.includes(team) === true

/** Asked only of whom it may refuse. */
async function workingHere(staff: StaffOf, { tenant, sight }: By): Promise<ReadonlySet<string>> {
  if (sight?.reach === undefined) return new Set()
  return new Set((await staff(tenant)).filter(({ endedAt }) => endedAt === null).map(({ id }) => id))
}

const placeOf = (row: Pick<SubjectTable, 'id' | 'kind' | 'team_id'>) => ({
  id: row.id,
  kind: row.kind,
  team: row.team_id,
})

/** What somebody may not know of is not there for them. */
export function assertSeen(row: Selectable<SubjectTable>, { sight }: By): void {
  if (!sees(sight, placeOf(row))) throw subjectNotFound('/params/id')
}

const livingRows: RowReader<string, Selectable<SubjectTable> | undefined> = async (tx, ids) => {
  const { rows } = await tx.client.query<Selectable<SubjectTable>>({
    name: 'careloop-subjects',
    text: `select tenant_id, id, kind, time_zone, site_id, team_id, key_id, body, version, created_at, updated_at, touched, erased_at
      from tenant.subject where tenant_id = $1 and id = any($2::uuid[]) and erased_at is null`,
    values: [tx.tenant, [...new Set(ids)]],
  })
  const byId = new Map(rows.map((row) => [row.id, row]))
  return ids.map((id) => byId.get(id.toLowerCase()))
}

export async function rowForUpdate(tx: TenantTx, id: string): Promise<Selectable<SubjectTable>> {
  // Erased is as if it had never been: the row stays for what points to it.
  const row = await tx
    .tables<SubjectsTables>()
    .selectFrom('subject')
    .selectAll()
    .where('id', '=', id)
    .where('erased_at', 'is', null)
    .forUpdate()
    .executeTakeFirst()
  if (!row) throw subjectNotFound('/params/id')
  return row
}

function assertSame(row: Selectable<SubjectTable>, wanted: SubjectUpdate): void {
  if (row.version !== wanted.version)
    throw subjectFailure(
      'subject-moved',
      'Somebody changed this subject meanwhile. Read it again and repeat the change.',
      {
        pointer: '/body/version',
      },
    )
  if (row.kind !== kindOf(wanted.resource))
    throw subjectFailure('subject-kind-fixed', 'A subject keeps its kind. Create another subject instead.', {
      pointer: '/body/resource/resourceType',
    })
}

async function assertPlaced(tx: TenantTx, wanted: Wanted): Promise<void> {
  if (wanted.site !== undefined) await assertSite(tx, wanted.site, '/body/site')
  if (wanted.team !== undefined) {
    const team = await tx
      .tables<SubjectsTables>()
      .selectFrom('care_team')
      .select('id')
      .where('id', '=', wanted.team)
      .executeTakeFirst()
    if (!team)
      throw subjectFailure('care-team-not-found', 'No care team has this id. List the teams.', {
        pointer: '/body/team',
      })
  }
}

export async function finish(
  tx: TenantTx,
  by: By,
  action: 'create' | 'update',
  id: string,
  keys: readonly HashedKey[],
) {
  await writeKeys(tx, id, keys)
  await tx.publish({ type: 'SubjectChanged', subject: id })
  await audited(tx, by, action, 'subject', { id, subjects: [id] })
}
