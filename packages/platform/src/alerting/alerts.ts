/** Alerts as other rooms see them. */
import type { AlertCondition, Priority } from '@careloop/contract'
import type { OwnedRule } from '@careloop/rules'
import type { Selectable } from 'kysely'
import type { Engine, TenantTx } from '../engine/index.ts'
import { isDamage, isErased } from './checkpoint.ts'
import { alertingFailure } from './errors.ts'
import { type AlertingTables, type ProgramHead, toMs } from './schema.ts'
import { type AlertSummary, openSummary } from './summary.ts'

/** An alert, opened: `summary` is PHI. */
export interface Alert {
  readonly id: string
  readonly subject: string
  readonly enrolment: string
  readonly focus: string
  readonly priority: Priority
  readonly nature: AlertRow['nature']
  readonly condition: AlertRow['condition']
  readonly handling: AlertRow['handling']
  readonly historic: boolean
  /** Raised by readings that are somebody else's now. */
  readonly wrongSubject: boolean
  readonly raisedAt: number
  readonly clearedAt: number | null
  readonly closedAt: number | null
  readonly summary: AlertSummary
  /** The limit of its own that the subject had. */
  readonly override: string | null
  readonly program: ProgramHead
  readonly rule: { readonly id: string; readonly version: number; readonly definition: OwnedRule }
}

type AlertRow = Selectable<AlertingTables['alert']>

/** Alerts of these ids in no order, opened. Those of erased subjects are absent. Not audited: the caller says what it shows. */
export async function alertsOf(engine: Engine, tx: TenantTx, ids: readonly string[]): Promise<Map<string, Alert>> {
  const found = new Map<string, Alert>()
  if (ids.length === 0) return found
  const rows = await tx
    .tables<AlertingTables>()
    .selectFrom('alert')
    .innerJoin('rule_version', (join) =>
      join
        .onRef('rule_version.rule_id', '=', 'alert.rule_id')
        .onRef('rule_version.version', '=', 'alert.rule_version')
        .onRef('rule_version.tenant_id', '=', 'alert.tenant_id'),
    )
    .innerJoin('program', (join) =>
      join.onRef('program.code', '=', 'alert.program').onRef('program.tenant_id', '=', 'alert.tenant_id'),
    )
    .selectAll('alert')
    .select(['rule_version.definition as rule', 'program.definition as head'])
    .where('alert.id', 'in', [...ids])
    .execute()
  for (const row of rows) {
    const summary = await summaryOfRow(engine, tx.tenant, row, (row.rule as OwnedRule).title)
    if (summary !== null) found.set(row.id, alertOf(row, row.rule as OwnedRule, row.head, summary))
  }
  return found
}

/** @throws Failure `alert-not-found`, `key-destroyed` */
export async function alertById(engine: Engine, tx: TenantTx, id: string): Promise<Alert> {
  const alert = (await alertsOf(engine, tx, [id])).get(id)
  if (alert === undefined) throw alertingFailure('alert-not-found', 'No alert has this id.', { pointer: '/params/id' })
  return alert
}

/**
 * Whether the condition stands now, and when it came back last if nobody has acknowledged that; locks the alert until the
 * transaction ends.
 * @throws Failure `alert-not-found`
 */
export async function conditionOf(
  tx: TenantTx,
  id: string,
): Promise<{ readonly condition: AlertCondition; readonly cameBackAt: number | null }> {
  const tables = tx.tables<AlertingTables>()
  const query = tables.selectFrom('alert').select(['condition', 'handling']).where('id', '=', id)
  const row = await query.forUpdate().executeTakeFirst()
  if (row === undefined) throw alertingFailure('alert-not-found', 'No alert has this id.', { pointer: '/params/id' })
  const events = tables.selectFrom('alert_event').select('recorded_at').where('alert_id', '=', id)
  const recurred = events.where('what', '=', 'recurred').orderBy('id', 'desc').limit(1)
  const last = row.handling === 'new' ? await recurred.executeTakeFirst() : undefined
  return { condition: row.condition, cameBackAt: last === undefined ? null : toMs(last.recorded_at) }
}

/** By id of the alert; nothing is opened for it. */
export async function naturesOf(
  tx: TenantTx,
  ids: readonly string[],
): Promise<ReadonlyMap<string, AlertRow['nature']>> {
  if (ids.length === 0) return new Map()
  const alerts = tx.tables<AlertingTables>().selectFrom('alert').select(['id', 'nature'])
  return new Map((await alerts.where('id', 'in', [...ids]).execute()).map(({ id, nature }) => [id, nature]))
}

/** What alerts are about, by alert: the title of the rule as it stood when they were raised. */
export async function titlesOf(tx: TenantTx, ids: readonly string[]): Promise<ReadonlyMap<string, string>> {
  if (ids.length === 0) return new Map()
  const { rows } = await tx.client.query<{ id: string; title: string }>(
    `select a.id, v.definition ->> 'title' as title from tenant.alert a
       join tenant.rule_version v
         on v.tenant_id = a.tenant_id and v.rule_id = a.rule_id and v.version = a.rule_version
      where a.tenant_id = $1 and a.id = any($2::uuid[])`,
    [tx.tenant, ids],
  )
  return new Map(rows.map(({ id, title }) => [id, title]))
}

/** Null of an erased subject. Of what is damaged the rule's title is left: an alert that cannot be shown would be no alert. */
async function summaryOfRow(
  engine: Engine,
  tenant: string,
  row: AlertRow,
  title: string,
): Promise<AlertSummary | null> {
  try {
    return openSummary(await engine.keys.key(row.key_id), tenant, row.id, row.summary)
  } catch (err) {
    if (isErased(err)) return null
    if (!isDamage(err)) throw err
    engine.watch.log.error({ err, tenant, alert: row.id }, 'the words of an alert could not be opened')
    return {
      sentence: `${title} (what it said cannot be read any more)`,
      value: '',
      unit: '',
      measuredAt: toMs(row.raised_at),
    }
  }
}

function alertOf(row: AlertRow, rule: OwnedRule, program: ProgramHead, summary: AlertSummary): Alert {
  return {
    ...{ id: row.id, subject: row.subject_id, enrolment: row.enrolment_id, focus: row.focus },
    ...{ priority: row.priority, nature: row.nature, condition: row.condition, handling: row.handling },
    ...{ historic: row.historic, wrongSubject: row.moved_devices.length > 0, raisedAt: toMs(row.raised_at) },
    clearedAt: row.cleared_at === null ? null : toMs(row.cleared_at),
    closedAt: row.closed_at === null ? null : toMs(row.closed_at),
    override: row.override_id,
    ...{ summary, program, rule: { id: row.rule_id, version: row.rule_version, definition: rule } },
  }
}
