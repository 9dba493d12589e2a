/**
 * Rows that may fit, in the order of the search, a window at a time. The places that lead there are merged by (time, seq): from each
 * key the first few, of all those the first few. Each window is bounded, so a place where little fits costs many small statements
 * and never one long one. Only what the asker sees is opened or counted.
 */
import { type RawBuilder, sql } from 'kysely'
import type { TenantTx } from '../../engine/index.ts'
import { type Sight, sightCondition } from '../../subjects/index.ts'
import { type PlacedVersion, placeColumns, versionColumns } from '../store/rows.ts'
import type { Narrowed, Order, Places, Plan } from './plan.ts'

/** Where the walk stands: after this row. */
export interface Position {
  /** ms: of the order. */
  readonly time: string
  readonly seq: string
}

export type Candidate = PlacedVersion & {
  readonly time: string
  readonly seq: string
  /** Its blind keys, where the walk passes over some (`without`). */
  readonly keys?: readonly string[]
}

/** A row of a window: without `rid` it is not for this search, or not there for the asker. */
interface Walked extends Partial<Omit<Candidate, 'time' | 'seq'>> {
  readonly time: string
  readonly seq: string
}

export interface Window {
  readonly candidates: readonly Candidate[]
  /** How many places were walked over. */
  readonly walked: number
  /** Null: there are no more. */
  readonly end: Position | null
}

export interface Walk {
  readonly plan: Plan
  readonly order: Order
  readonly sight: Sight | undefined
  /** Blind keys of which a row must have none. */
  readonly without?: readonly string[]
}

export async function windowAfter(tx: TenantTx, walk: Walk, after: Position | null, size: number): Promise<Window> {
  const { sql: text, parameters } = windowQuery(tx.tenant, walk, after, size).compile(tx.tables())
  // Named, so that a connection plans each shape of it a few times and not for every page.
  const { rows } = await tx.client.query<Walked>({ name: nameOf(text), text, values: [...parameters] })
  const last = rows.at(-1)
  return {
    candidates: rows.filter((row): row is Candidate => row.rid !== null && row.rid !== undefined),
    walked: rows.length,
    end: rows.length < size || last === undefined ? null : { time: last.time, seq: last.seq },
  }
}

const names = new Map<string, string>()
/** Shapes are few: lookups of each kind there or not, sight of each kind, order. */
function nameOf(text: string): string {
  const name = names.get(text) ?? `careloop-clinical-walk-${names.size}`
  names.set(text, name)
  return name
}

/**
 * Each row is fetched by its number, its subject by its id: `offset 0` keeps the planner from joining otherwise while its statistics
 * are of an empty table (a thousand rows were joined with a thousand, six seconds, until the first analyze). Exported for the tests
 * that hold its plan.
 */
export function windowQuery(tenant: string, walk: Walk, after: Position | null, size: number): RawBuilder<Walked> {
  const direction = sql.raw(walk.order.isDescending ? 'desc' : 'asc')
  const merged = sql.join(leads(tenant, walk, after, size), sql` union all `)
  return sql<Walked>`
    with walked as materialized (
      select led.time, led.seq from (${merged}) as led
       group by led.time, led.seq order by led.time ${direction}, led.seq ${direction} limit ${size})
    select walked.time, walked.seq, found.*
      from walked
      left join lateral (
        select ${sql.raw(versionColumns)}, ${sql.raw(placeColumns)} ${walk.without === undefined ? sql`` : sql`, r.keys`}
          from (select * from tenant.clinical_resource
                 where tenant_id = ${tenant} and seq = walked.seq offset 0) as r
          left join lateral (select id, kind, team_id from tenant.subject
                              where tenant_id = ${tenant} and id = r.subject_id offset 0) as s on true
         where r.type = ${walk.plan.type} and r.deleted_at is null
           and (r.subject_id is null or ${sightCondition(walk.sight, 's')}) ${passing(walk)}
      ) as found on true
     order by walked.time ${direction}, walked.seq ${direction}`
}

/** One lead for each kind of place; each gives its first rows after the position. */
function leads(tenant: string, walk: Walk, after: Position | null, size: number): RawBuilder<unknown>[] {
  const { plan, order } = walk
  const time = sql.ref(order.by)
  const tail = sql`${beyond(walk, after)} order by ${time} ${way(order)}, seq ${way(order)} limit ${size}`
  const range = order.by === 'at' ? between(plan) : updatedWithin(plan, sql.ref('updated_at'))
  const ofKeys = (keys: readonly string[], within: RawBuilder<unknown>) => sql`
    (select place.at as time, place.seq from unnest(${[...keys]}::bigint[]) as named(key) cross join lateral (
      select at, seq from tenant.clinical_key where tenant_id = ${tenant} and key = named.key ${within} ${tail}) as place)`
  const ofType = (where: RawBuilder<unknown>) => sql`
    (select ${time} as time, seq from tenant.clinical_resource where tenant_id = ${tenant} and type = ${plan.type} ${where} ${tail})`
  const long = plan.long.length === 0 || order.by !== 'at' ? [] : [ofKeys(plan.long, sql``)]
  if (plan.lead === null) return [ofType(range), ...long]
  const { keys, subjects, rids } = plan.lead
  const ofSubjects = sql`
    (select place.at as time, place.seq from unnest(${[...subjects]}::uuid[]) as named(id) cross join lateral (
      select at, seq from tenant.clinical_resource
       where tenant_id = ${tenant} and subject_id = named.id and type = ${plan.type} ${tail}) as place)`
  // Few and unordered: with an order the planner would rather walk the type.
  const ofRids = sql`
    (select ${time} as time, seq from tenant.clinical_resource
      where tenant_id = ${tenant} and rid = any(${[...rids]}::uuid[]) ${beyond(walk, after)})`
  return [
    ...(keys.length === 0 ? [] : [ofKeys(keys, range), ...long]),
    ...(subjects.length === 0 ? [] : [ofSubjects]),
    ...(rids.length === 0 && keys.length + subjects.length > 0 ? [] : [ofRids]),
  ]
}

const way = ({ isDescending }: Order): RawBuilder<unknown> => sql.raw(isDescending ? 'desc' : 'asc')

function beyond({ order }: Walk, after: Position | null): RawBuilder<unknown> {
  if (after === null) return sql``
  const sign = sql.raw(order.isDescending ? '<' : '>')
  return sql`and (${sql.ref(order.by)}, seq) ${sign} (${after.time}::bigint, ${after.seq}::bigint)`
}

/** No day in any zone is longer; what lasts longer is looked for besides (`plan.long`). */
const longestMs = 27 * 60 * 60 * 1_000

function between({ narrowed }: Plan): RawBuilder<unknown> {
  if (narrowed === null) return sql``
  const { startsBefore, endsAfter } = narrowed
  return sql`${startsBefore === null ? sql`` : sql`and at < ${startsBefore}::bigint`}
    ${endsAfter === null ? sql`` : sql`and at > ${endsAfter - longestMs}::bigint`}`
}

/** What rows must be besides, told by their columns: a body is opened only when all of it holds. */
function passing({ plan, without }: Walk): RawBuilder<unknown> {
  const { narrowed, others } = plan
  const dated =
    narrowed === null
      ? sql``
      : sql`${startingBefore(narrowed, sql.ref('r.at_from'), true)} ${endingAfter(narrowed, sql.ref('r.at_to'), true)}`
  const kept = without === undefined || without.length === 0 ? sql`` : sql`and not r.keys && ${[...without]}::bigint[]`
  return sql`${dated} ${updatedWithin(plan, sql.ref('r.updated_at'))} ${sql.join([...others.map(placed), kept], sql` `)}`
}

const startingBefore = ({ startsBefore }: Narrowed, from: RawBuilder<unknown>, isOpen = false) =>
  startsBefore === null
    ? sql``
    : isOpen
      ? sql`and (${from} is null or ${from} < ${startsBefore}::bigint)`
      : sql`and ${from} < ${startsBefore}::bigint`

const endingAfter = ({ endsAfter }: Narrowed, to: RawBuilder<unknown>, isOpen = false) =>
  endsAfter === null
    ? sql``
    : isOpen
      ? sql`and (${to} is null or ${to} > ${endsAfter}::bigint)`
      : sql`and ${to} >= ${endsAfter}::bigint`

/** A change is of one millisecond: it is after the last that is left out, or at it. */
const updatedWithin = ({ updated }: Plan, at: RawBuilder<unknown>): RawBuilder<unknown> =>
  updated === null ? sql`` : sql`${startingBefore(updated, at)} ${endingAfter(updated, at)}`

const placed = ({ keys, subjects, rids }: Places): RawBuilder<unknown> =>
  sql`and (r.keys && ${[...keys]}::bigint[] or r.subject_id = any(${[...subjects]}::uuid[]) or r.rid = any(${[...rids]}::uuid[]))`
