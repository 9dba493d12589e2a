/** What people do to alerts. The evaluator learns of each act in order, through the log. */
import { type AlertHandled, type Rearm, shownUnit, signal } from '@careloop/contract'
import { formatNumber, type OwnedRule } from '@careloop/rules'
import type { Insertable, Selectable } from 'kysely'
import type { Engine, TenantTx } from '../engine/index.ts'
import { alertingFailure } from './errors.ts'
import type { AlertingTables } from './schema.ts'

type AlertRow = Selectable<AlertingTables['alert']>
type EventRow = Insertable<AlertingTables['alert_event']>

/** A member of staff is on it. @returns false when it was acknowledged or closed already */
export async function acknowledgeAlert(engine: Engine, tx: TenantTx, id: string, actor: string): Promise<boolean> {
  const row = await lockAlert(tx, id)
  if (row.handling !== 'new') return false
  await write(tx, row, { handling: 'acknowledged' }, eventOf(engine, row, 'acknowledged', actor))
  append(tx, row, 'acknowledged')
  return true
}

/** The longest that an alert whose condition stands may be put off, by a time. */
export const maxRearmMs = 7 * 86_400_000

/**
 * A member of staff recorded what was done. What re-arms a condition that still stands is theirs to choose; without a choice it is
 * raised anew only once it has cleared.
 * @param rearm passed over when the condition has cleared: then nothing has to be re-armed
 * @throws Failure `alert-not-found`, `rearm-invalid`
 */
export async function closeAlert(
  engine: Engine,
  tx: TenantTx,
  id: string,
  actor: string,
  rearm?: Rearm,
): Promise<void> {
  const row = await lockAlert(tx, id)
  if (row.handling === 'closed') return
  const chosen = row.condition === 'active' ? await rearmOf(engine, tx, row, rearm) : undefined
  const noted =
    chosen === undefined ? {} : { rearm: chosen.until, rearm_at: chosen.until === 'time' ? chosen.at : null }
  const event = { ...eventOf(engine, row, 'closed', actor), ...noted }
  await write(tx, row, { handling: 'closed', closed_at: engine.clock.now() }, event)
  append(tx, row, 'closed', chosen)
  await tx.publish({ type: 'AlertClosed', alert: id, subject: row.subject_id })
}

/**
 * Takes a closing back: the alert is acknowledged again, and its condition needs nothing to be heard again.
 * @returns false when it was not closed
 * @throws Failure `alert-not-found`, `alert-superseded` when a newer alert of the same is open
 */
export async function reopenAlert(engine: Engine, tx: TenantTx, id: string, actor: string): Promise<boolean> {
  const row = await lockAlert(tx, id)
  if (row.handling !== 'closed') return false
  const open = await tx
    .tables<AlertingTables>()
    .selectFrom('alert')
    .select('id')
    .where('rule_id', '=', row.rule_id)
    .where('subject_id', '=', row.subject_id)
    .where('focus', '=', row.focus)
    .where('handling', '<>', 'closed')
    .executeTakeFirst()
  if (open !== undefined)
    throw alertingFailure(
      'alert-superseded',
      'The condition has raised a new alert since, which is open. Go on with that one.',
      { pointer: '/params/id' },
    )
  const event = eventOf(engine, row, 'reopened', actor)
  await write(tx, row, { handling: 'acknowledged', closed_at: null }, event)
  append(tx, row, 'acknowledged')
  await tx.publish({ type: 'AlertReopened', alert: id, subject: row.subject_id })
  return true
}

// ---------------------------------------------------------------- parts

async function lockAlert(tx: TenantTx, id: string): Promise<AlertRow> {
  const query = tx.tables<AlertingTables>().selectFrom('alert').selectAll().where('id', '=', id)
  const row = await query.forUpdate().executeTakeFirst()
  if (row !== undefined) return row
  throw alertingFailure('alert-not-found', 'No alert has this id.', { pointer: '/params/id' })
}

const eventOf = (engine: Engine, row: AlertRow, what: EventRow['what'], actor: string): EventRow => {
  const now = engine.clock.now()
  return {
    ...{ alert_id: row.id, what, at: now, recorded_at: now, actor },
    ...{ partition: null, position: null, ordinal: null, key_id: null, detail: null },
  }
}

async function write(
  tx: TenantTx,
  row: AlertRow,
  columns: { readonly handling: AlertRow['handling']; readonly closed_at?: number | null },
  event: EventRow,
): Promise<void> {
  const tables = tx.tables<AlertingTables>()
  await tables.updateTable('alert').set(columns).where('id', '=', row.id).execute()
  await tables.insertInto('alert_event').values(event).execute()
}

function append(
  tx: TenantTx,
  { id, rule_id: rule, subject_id: subject, focus }: AlertRow,
  handling: AlertHandled['handling'],
  rearm?: AlertHandled['rearm'],
): void {
  const what = { alert: id, rule, subject, focus, handling }
  const entry = { kind: 'alert-handled', tenant: tx.tenant, ...what } as const
  tx.beforeCommitAppend([rearm === undefined ? entry : { ...entry, rearm }])
}

/** @throws Failure `rearm-invalid` */
async function rearmOf(
  engine: Engine,
  tx: TenantTx,
  row: AlertRow,
  rearm: Rearm | undefined,
): Promise<AlertHandled['rearm']> {
  if (rearm === undefined || rearm.until === 'cleared') return undefined
  const refuse = (message: string, field: string) =>
    alertingFailure('rearm-invalid', message, { pointer: `/body/rearm${field}` })
  if (rearm.until === 'time') {
    const now = engine.clock.now()
    if (rearm.at <= now) throw refuse('The time to be told again lies in the past.', '/at')
    if (rearm.at - now > maxRearmMs) throw refuse('An alert may be put off for 7 days at most.', '/at')
    return rearm
  }
  const { definition } = await tx
    .tables<AlertingTables>()
    .selectFrom('rule_version')
    .select('definition')
    .where('rule_id', '=', row.rule_id)
    .where('version', '=', row.rule_version)
    .executeTakeFirstOrThrow()
  if (canWorsen(definition)) return rearm
  throw refuse('This rule does not say what worse is. Choose until it has cleared, or a time.', '/until')
}

/** Whether a rule says what one step worse is. */
export const canWorsen = ({ body }: Pick<OwnedRule, 'body'>): boolean =>
  body.kind !== 'absence' && body.worseBy !== undefined

/** What "until it is worse" would mean, in words; null where a rule does not say: then it is not offered. */
export function worseMeans({ body }: Pick<OwnedRule, 'body'>): string | null {
  if (body.kind === 'absence' || body.worseBy === undefined) return null
  const codes = body.kind === 'rate' ? [body.signal] : body.when.limits.map((limit) => limit.signal)
  const steps = codes.map((code, index) => stepInWords(code, body.worseBy![index] ?? 0))
  return `${[...new Set(steps)].join(' or ')} beyond the worst so far`
}

function stepInWords(code: string, by: number): string {
  const known = signal(code)
  return `${known?.label ?? code} ${formatNumber(code, by)} ${shownUnit(known?.unit ?? '')}`.trimEnd()
}
