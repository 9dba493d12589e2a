/** Versions, newest first: of one resource, of a type, of all types that somebody may read. Pages by key, never by offset. */
import { type RawBuilder, sql } from 'kysely'
import type { TenantTx } from '../../engine/index.ts'
import { audited, type By, sightCondition } from '../../subjects/index.ts'
import type { HistoryPage, HistoryQuestion } from '../clinical.ts'
import { clinicalFailure } from '../errors.ts'
import { type Eyes, eyesFor, grantFor, mayDo } from '../rights.ts'
import type { Stored } from '../stored.ts'
import { servedTypes } from '../types.ts'
import { kindWord } from './kind-word.ts'
import { notFound, shownRow } from './read.ts'
import type { ClinicalRoom } from './room.ts'
import { type PlacedVersion, placeColumns, placeJoin, versionColumns } from './rows.ts'

/** Versions opened for one page at most: beyond, it is answered with what was found, and where to go on. */
const maxRead = 10_000
/** Characters on one page, beside those of one window: large documents make it shorter, and memory is not a client's to fill. */
const maxHeld = 16 << 20
const largestWindow = 100

/** @throws Failure `resource-not-found` for one that is not there for them; `type-not-yours` */
export async function readHistory(room: ClinicalRoom, by: By, question: HistoryQuestion): Promise<HistoryPage> {
  const { engine } = room.ground
  const types = question.type === undefined ? readableTypes(by) : [question.type]
  const eyes = new Map<string, Eyes>()
  for (const type of types) eyes.set(type, await eyesFor(room.parts, grantFor(by, type, 'r')))
  const rid = question.id === undefined ? null : (await room.ground.blinds(by.tenant)).rid(types[0]!, question.id)
  return engine.db.asTenant(by.tenant, async (tx) => {
    const items: Stored[] = []
    let after = question.after
    let isMore = true
    // One more than the page is looked for: that there is a next page is told by what they may see, and by nothing else.
    const limit = question.limit + 1
    const window = Math.min(limit, largestWindow)
    let held = 0
    for (let read = 0; isMore && items.length < limit && held < maxHeld && read < maxRead; read += window) {
      const from = after === undefined ? {} : { after }
      const page = await pageOf(tx, eyes, { rid, question: { ...question, limit: window, ...from } })
      for (const row of page.rows) {
        const stored = await shownRow(room, tx, eyes.get(row.type)!, row)
        if (stored !== null) items.push(stored)
        held += stored?.text.length ?? 0
      }
      isMore = page.isMore
      after = page.after
    }
    const isNext = items.length > question.limit || (isMore && held >= maxHeld)
    items.length = Math.min(items.length, question.limit)
    if (rid !== null && items.length === 0 && question.after === undefined && question.since === undefined)
      throw notFound()
    const word = question.type === undefined ? 'clinical' : kindWord(question.type)
    const subjects = [...new Set(items.flatMap(({ subject }) => subject ?? []))]
    await audited(tx, by, rid === null ? 'search' : 'read', word, { id: rid ?? 'history', subjects })
    const last = items.at(-1)
    if (isNext && last !== undefined) return { items, next: tokenOf(last) }
    // Of a type so much is not theirs that the page went no further.
    return { items, next: isMore && rid === null && after !== undefined ? after : null }
  })
}

interface Page {
  readonly rows: readonly PlacedVersion[]
  readonly isMore: boolean
  readonly after: string | undefined
}

async function pageOf(
  tx: TenantTx,
  eyes: ReadonlyMap<string, Eyes>,
  { rid, question }: Pick<Versions, 'rid' | 'question'>,
): Promise<Page> {
  const rows: PlacedVersion[] = []
  for (const [type, each] of eyes) rows.push(...(await versions(tx, { type, rid, eyes: each, question })))
  rows.sort(newestFirst)
  const page = rows.slice(0, question.limit)
  const last = page.at(-1)
  return {
    ...{ rows: page, isMore: rows.length > page.length },
    after:
      last === undefined
        ? undefined
        : tokenOf({ rid: last.rid, version: last.version, updatedAt: Number(last.updated_at) }),
  }
}

const readableTypes = (by: By): string[] => Object.keys(servedTypes).filter((type) => mayDo(by, type, 'r'))

function newestFirst(a: PlacedVersion, b: PlacedVersion): number {
  const byTime = Number(b.updated_at) - Number(a.updated_at)
  if (byTime !== 0) return byTime
  return a.rid === b.rid ? b.version - a.version : a.rid < b.rid ? 1 : -1
}

interface Versions {
  readonly type: string
  readonly rid: string | null
  readonly eyes: Eyes
  readonly question: HistoryQuestion
}

/** One more than a page of each table: what is left over tells that there is a next page. */
async function versions(tx: TenantTx, { type, rid, eyes, question }: Versions): Promise<PlacedVersion[]> {
  const { limit, since, after } = question
  const one = (table: 'clinical_resource' | 'clinical_history'): RawBuilder<unknown> => sql`(
    select ${sql.raw(versionColumns)}, ${sql.raw(placeColumns)}
      from ${sql.raw(`tenant.${table}`)} r ${sql.raw(placeJoin)}
     where r.tenant_id = ${tx.tenant} and r.type = ${type}
       ${rid === null ? sql`` : sql`and r.rid = ${rid}`}
       ${since === undefined ? sql`` : sql`and r.updated_at >= ${since}`}
       ${after === undefined ? sql`` : olderThan(after)}
       and (r.subject_id is null or ${sightCondition(eyes.granted.by.sight, 's')})
     order by r.updated_at desc, r.rid desc, r.version desc limit ${limit + 1})`
  const { rows } = await sql<PlacedVersion>`${one('clinical_resource')} union all ${one('clinical_history')}`.execute(
    tx.tables(),
  )
  return rows
}

const tokenOf = ({ updatedAt, rid, version }: Pick<Stored, 'updatedAt' | 'rid' | 'version'>): string =>
  `${updatedAt}.${rid}.${version}`

/** @throws Failure `resource-unreadable` */
function olderThan(after: string): RawBuilder<unknown> {
  const found = /^(-?\d{1,16})\.([0-9a-f-]{36})\.(\d{1,9})$/.exec(after)
  if (found === null)
    throw clinicalFailure('resource-unreadable', 'This page of the history is not known. Begin with its first page.')
  const [, at, rid, version] = found
  return sql`and (r.updated_at, r.rid, r.version) < (${at}::bigint, ${rid}::uuid, ${version}::int)`
}
