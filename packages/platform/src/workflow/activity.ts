/**
 * What staff did for whom, from when to when: docs/activity.md. An entry grows while its page is open and never changes once it
 * has ended; a mistake is entered anew beside it.
 */
import {
  type ActivityBody,
  type ActivityList,
  type CorrectActivity,
  isLiveContact,
  type PutActivity,
} from '@careloop/contract'
import { staffNamesOf } from '../alerting/index.ts'
import { record } from '../audit/index.ts'
import type { DataKey, Engine, TenantTx } from '../engine/index.ts'
import { assertSubject, audited, type By, isSeen, purposed, type Sight } from '../subjects/index.ts'
import { civilDate, zoneAt } from '../telemetry/index.ts'
import { type ActivityRow, activityBody, isLost, lockActivity, openWords, sealWords } from './activity-rows.ts'
import { totalsOf } from './activity-totals.ts'
import { workflowFailure } from './errors.ts'
import { toMs, type WorkflowTables } from './schema.ts'
import type { WorkingStaff } from './staff.ts'

/** A member of staff who tells what they did. */
export interface Telling {
  readonly tenant: string
  readonly staff: string
  readonly requestId?: string
  /** Kinds of subject for whom they may record time; absent = all. */
  readonly sight?: Sight
  /** May put right what others entered. */
  readonly isAdministrator?: boolean
}

export interface Activities {
  /**
   * Begins, prolongs or ends one's own activity; a repeat changes nothing.
   * @throws Failure `subject-not-found`, `activity-not-yours`, `activity-span-wrong`, `activity-too-long`, `activity-ahead`,
   * `activity-final`, `activity-differs`, `activity-task-unfit`
   */
  put(telling: Telling, id: string, wanted: PutActivity): Promise<ActivityBody>
  /** @throws Failure `activity-not-found`, `activity-not-yours`, `activity-corrected`, `activity-open`, and those of its span */
  correct(telling: Telling, id: string, wanted: CorrectActivity): Promise<ActivityBody>
  /** @throws Failure `subject-not-found`, `activity-span-wrong` */
  list(by: By, subject: string, range: { from: number; to: number }): Promise<ActivityList>
}

/** One entry is at most this long, ms: what runs longer was forgotten. */
const longestMs = 8 * 3_600_000
/** A page's clock that is set by ours may be ahead by this much, ms. */
const aheadMs = 2_000
const longestRangeMs = 400 * 86_400_000

export const makeActivities = (engine: Engine, staff: WorkingStaff): Activities => ({
  async put(telling, id, wanted) {
    const { tenant } = telling
    const key = await keyOf(engine, telling, wanted.subject)
    const row = await engine.db.asTenant(tenant, (tx) => put(engine, tx, telling, key, id, wanted))
    return shown(engine, staff, tenant, row)
  },
  async correct(telling, id, wanted) {
    const row = await correct(engine, telling, id, wanted)
    return shown(engine, staff, telling.tenant, row)
  },
  list: (by, subject, range) => list(engine, staff, by, subject, range),
})

/** Asked for before the key: a key is made on first use, and a stranger gets none. */
async function keyOf(engine: Engine, { tenant, sight }: Telling, subject: string): Promise<DataKey> {
  await engine.db.asTenant(tenant, (tx) => assertSubject(tx, subject, '/body/subject', sight))
  return engine.keys.keyFor('subject', subject)
}

async function shown(engine: Engine, staff: WorkingStaff, tenant: string, row: ActivityRow): Promise<ActivityBody> {
  const names = await staffNamesOf(staff, tenant)
  return activityBody(row, await openWords(engine, tenant, row), names, engine.clock.now())
}

// ---------------------------------------------------------------- begin, prolong, end

async function put(
  engine: Engine,
  tx: TenantTx,
  telling: Telling,
  key: DataKey,
  id: string,
  wanted: PutActivity,
): Promise<ActivityRow> {
  const now = engine.clock.now()
  const known = await lockActivity(tx, id)
  if (known !== undefined) return prolong(engine, tx, telling, key, known, wanted, now)
  const span = spanOf(wanted, now)
  if (wanted.task !== undefined) await assertTaskOf(tx, wanted.task, wanted.subject)
  const { kind, contact, note, source, ended } = wanted
  const made = await tx
    .tables<WorkflowTables>()
    .insertInto('activity')
    .values({
      ...{ id, subject_id: wanted.subject, task_id: wanted.task ?? null, staff_id: telling.staff, source, ended },
      ...{ recorded_by: telling.staff, from_at: span.from, to_at: span.to, heard_at: now },
      ...(await dateOf(tx, wanted.subject, span.from)),
      ...{ key_id: key.id, body: sealWords(key, tx.tenant, id, { kind, contact, note }), corrects: null },
    })
    .onConflict((conflict) => conflict.columns(['tenant_id', 'id']).doNothing())
    .returningAll()
    .executeTakeFirst()
  // The page's first two messages came at once: the second goes on from the first.
  if (made === undefined) return put(engine, tx, telling, key, id, wanted)
  await note_(tx, telling, 'create', made)
  return made
}

async function prolong(
  engine: Engine,
  tx: TenantTx,
  telling: Telling,
  key: DataKey,
  row: ActivityRow,
  wanted: PutActivity,
  now: number,
): Promise<ActivityRow> {
  assertSame(row, telling, wanted)
  const before = await openWords(engine, tx.tenant, row)
  const words = { kind: wanted.kind, contact: wanted.contact, note: wanted.note }
  const says = (Object.keys(words) as (keyof typeof words)[]).some((word) => words[word] !== before[word])
  if (row.ended || isLost(row, now)) {
    // Its end may have been brought back to the server's clock when it first came.
    const isSameEnd = Math.abs(wanted.to - toMs(row.to_at)) <= aheadMs
    const isRepeat = isSameEnd || (!wanted.ended && wanted.to < toMs(row.to_at))
    if (isRepeat && !says) return row
    throw workflowFailure(
      'activity-final',
      'This activity has ended, by itself when its page was silent for 5 minutes. Begin another, or correct it.',
      { pointer: '/params/id' },
    )
  }
  const { to } = spanOf({ from: toMs(row.from_at), to: wanted.to }, now)
  // A message that was overtaken by a later one shortens nothing; only the end says how long it was.
  const isOvertaken = !wanted.ended && to < toMs(row.to_at)
  const changed = await tx
    .tables<WorkflowTables>()
    .updateTable('activity')
    .set({
      ...{ to_at: isOvertaken ? toMs(row.to_at) : to, ended: wanted.ended, heard_at: now },
      ...(says && !isOvertaken ? { key_id: key.id, body: sealWords(key, tx.tenant, row.id, words) } : {}),
    })
    .where('id', '=', row.id)
    .returningAll()
    .executeTakeFirstOrThrow()
  // Growing by a heartbeat is what its beginning told of; what is said of it, and its end, are acts.
  if (says || wanted.ended) await note_(tx, telling, 'update', changed)
  return changed
}

function assertSame(row: ActivityRow, telling: Telling, wanted: PutActivity): void {
  if (row.staff_id !== telling.staff || row.corrects !== null) throw notYours()
  const differs = (pointer: string) =>
    workflowFailure('activity-differs', 'This activity began otherwise. Begin another one with its own id.', {
      pointer,
    })
  if (row.subject_id !== wanted.subject) throw differs('/body/subject')
  if (row.task_id !== (wanted.task ?? null)) throw differs('/body/task')
  if (row.source !== wanted.source) throw differs('/body/source')
  if (Math.abs(toMs(row.from_at) - wanted.from) > aheadMs) throw differs('/body/from')
}

const notYours = () =>
  workflowFailure(
    'activity-not-yours',
    'A colleague recorded this activity. Only they, or an administrator, correct it.',
    {
      pointer: '/params/id',
    },
  )

function spanOf({ from, to }: { from: number; to: number }, now: number): { from: number; to: number } {
  if (to > now + aheadMs)
    throw workflowFailure('activity-ahead', 'An activity cannot end in the future. Set the clock of this device.', {
      pointer: '/body/to',
    })
  if (to < from)
    throw workflowFailure('activity-span-wrong', 'The end must not lie before the beginning.', { pointer: '/body/to' })
  if (to - from > longestMs)
    throw workflowFailure(
      'activity-too-long',
      'One activity is at most 8 hours. Was it forgotten? Enter it in parts.',
      {
        pointer: '/body/to',
      },
    )
  return { from: Math.min(from, now), to: Math.min(to, now) }
}

async function assertTaskOf(tx: TenantTx, task: string, subject: string): Promise<void> {
  const query = tx.tables<WorkflowTables>().selectFrom('task').select('subject_id').where('id', '=', task)
  if ((await query.executeTakeFirst())?.subject_id === subject) return
  throw workflowFailure(
    'activity-task-unfit',
    'This task is not about this subject. Leave it out, or name the right one.',
    {
      pointer: '/body/task',
    },
  )
}

async function dateOf(tx: TenantTx, subject: string, from: number): Promise<{ time_zone: string; local_date: string }> {
  const zone = (await zoneAt(tx, subject, from))!
  return { time_zone: zone, local_date: civilDate(from, zone) }
}

async function note_(tx: TenantTx, telling: Telling, action: 'create' | 'update' | 'correct', row: ActivityRow) {
  const { staff, requestId } = telling
  const actor = `staff:${staff}`
  const entry = { actor, action, resource: 'activity', id: row.id, subject: row.subject_id, requestId }
  await record(tx, purposed(telling.sight, entry))
}

// ---------------------------------------------------------------- correct

async function correct(engine: Engine, telling: Telling, id: string, wanted: CorrectActivity): Promise<ActivityRow> {
  const seen = await engine.db.asTenant(telling.tenant, (tx) => lockedFor(tx, telling, id))
  const key = await engine.keys.keyFor('subject', seen.subject_id)
  return engine.db.asTenant(telling.tenant, async (tx) => {
    const old = await lockedFor(tx, telling, id)
    if (old.corrected_by === wanted.id) return (await lockActivity(tx, wanted.id))!
    const now = engine.clock.now()
    if (old.corrected_by !== null)
      throw workflowFailure('activity-corrected', 'This entry was corrected already. Correct the later one.', {
        pointer: '/params/id',
      })
    if (!old.ended && !isLost(old, now))
      throw workflowFailure('activity-open', 'This activity still runs. End it first.', { pointer: '/params/id' })
    if ((await lockActivity(tx, wanted.id)) !== undefined)
      throw workflowFailure('activity-differs', 'Another entry has this id. Make a new one.', { pointer: '/body/id' })
    const { kind, contact, note, reason } = wanted
    const span = spanOf(wanted, now)
    const tables = tx.tables<WorkflowTables>()
    const made = await tables
      .insertInto('activity')
      .values({
        ...{
          id: wanted.id,
          subject_id: old.subject_id,
          task_id: old.task_id,
          staff_id: old.staff_id,
          source: 'entered',
        },
        ...{ recorded_by: telling.staff, from_at: span.from, to_at: span.to, heard_at: now, ended: true },
        ...(await dateOf(tx, old.subject_id, span.from)),
        ...{
          key_id: key.id,
          body: sealWords(key, tx.tenant, wanted.id, { kind, contact, note, reason }),
          corrects: id,
        },
      })
      .returningAll()
      .executeTakeFirstOrThrow()
    await tables.updateTable('activity').set({ corrected_by: wanted.id }).where('id', '=', id).execute()
    await note_(tx, telling, 'correct', old)
    await note_(tx, telling, 'create', made)
    return made
  })
}

async function lockedFor(tx: TenantTx, telling: Telling, id: string): Promise<ActivityRow> {
  const row = await lockActivity(tx, id)
  if (row === undefined || !(await isSeen(tx, row.subject_id, telling.sight)))
    throw workflowFailure('activity-not-found', 'No activity has this id.', { pointer: '/params/id' })
  if (row.staff_id !== telling.staff && telling.isAdministrator !== true) throw notYours()
  return row
}

// ---------------------------------------------------------------- list

async function list(
  engine: Engine,
  staff: WorkingStaff,
  by: By,
  subject: string,
  range: { from: number; to: number },
): Promise<ActivityList> {
  if (range.to <= range.from || range.to - range.from > longestRangeMs)
    throw workflowFailure('activity-span-wrong', 'Ask for a span of at most 400 days that ends after it begins.', {
      pointer: '/query/to',
    })
  const rows = await engine.db.asTenant(by.tenant, async (tx) => {
    await assertSubject(tx, subject, '/params/id', by.sight)
    await audited(tx, by, 'read', 'activity', { subjects: [subject] })
    return (
      tx
        .tables<WorkflowTables>()
        .selectFrom('activity')
        .selectAll()
        .where('subject_id', '=', subject)
        .where('from_at', '<', String(range.to))
        // One is at most 8 h long, so the index bounds the search on both sides.
        .where('from_at', '>=', String(range.from - longestMs))
        .where('to_at', '>=', String(range.from))
        .orderBy('from_at', 'desc')
        .orderBy('id', 'desc')
        .execute()
    )
  })
  const names = await staffNamesOf(staff, by.tenant)
  const now = engine.clock.now()
  const items: ActivityBody[] = []
  for (const row of rows) items.push(activityBody(row, await openWords(engine, by.tenant, row), names, now))
  const counting = items.filter((item) => item.correctedBy === undefined)
  const counted = counting.map(({ from, to, contact }) => ({ from, to, isLive: isLiveContact(contact) }))
  return { items, totals: totalsOf(counted, range) }
}
