/** From what the evaluator tells to alert rows, events and facts, in the transaction that moves the cursor. */
import type { OwnedRule, Transition } from '@careloop/rules'
import type { Selectable } from 'kysely'
import type { DataKey, Engine, EngineTx, TenantTx } from '../engine/index.ts'
import type { Subjects } from '../subjects/index.ts'
import { isErased } from './checkpoint.ts'
import { type CommitsAtHand, type Evidence, gatherEvidence } from './evidence.ts'
import type { Rulebook } from './rulebook.ts'
import type { AlertingTables } from './schema.ts'
import { type AlertSummary, sealDetail, sealSummary, summaryOf } from './summary.ts'

/** A transition and the log entry that decided it. */
export interface Decided {
  readonly transition: Transition
  readonly tenant: string
  readonly partition: number
  readonly position: number
  /** Which of the commit's transitions. */
  readonly ordinal: number
}

/** A transition with all that its transaction needs: nothing is read or computed while rows are locked. */
export interface Prepared extends Decided {
  readonly rule: OwnedRule
  readonly program: string
  readonly key: DataKey
  readonly summary: AlertSummary | null
  readonly evidence: Evidence | null
}

/** @returns null when the subject was erased meanwhile: nothing is kept of it */
export async function prepare(
  engine: Engine,
  subjects: Pick<Subjects, 'names'>,
  rulebook: Rulebook,
  atHand: CommitsAtHand,
  decided: Decided,
): Promise<Prepared | null> {
  const { transition, tenant } = decided
  const { definition, program, compiled } = await rulebook.version(tenant, transition.rule, transition.version)
  try {
    const key = await engine.keys.keyFor('subject', transition.subject)
    const raises = !(transition.what === 'cleared' || transition.what === 'evidence-changed')
    const timeZone = (await subjects.names(tenant, [transition.subject])).get(transition.subject)?.timeZone ?? 'UTC'
    const points = transition.breach?.points ?? (transition.late ? [transition.late] : [])
    const evidence: Evidence | null =
      points.length === 0
        ? transition.why
          ? { readings: [], frames: [], leftOut: 0, why: transition.why }
          : null
        : await gatherEvidence(engine.log, atHand, compiled, points, transition.breach?.leftOut ?? 0)
    const summary = raises ? inWords(engine, definition, transition, timeZone) : null
    return { ...decided, rule: definition, program, key, summary, evidence }
  } catch (error) {
    if (isErased(error)) return null
    throw error
  }
}

/** An alert in bare words is better than none: a sentence that cannot be made must not stop the cursor for everybody. */
function inWords(engine: Engine, rule: OwnedRule, transition: Transition, timeZone: string): AlertSummary {
  try {
    return summaryOf(rule, transition, timeZone)
  } catch (err) {
    engine.watch.log.error({ err, rule: transition.rule }, 'the sentence of an alert could not be made')
    return { sentence: rule.title, value: '', unit: '', measuredAt: transition.at }
  }
}

type AlertRow = Selectable<AlertingTables['alert']>

export const applyTransition = (engine: Engine, tx: EngineTx, prepared: Prepared): Promise<void> =>
  tx.asTenant(prepared.tenant, async (tenantTx) => {
    const recordedAt = engine.clock.now()
    switch (prepared.transition.what) {
      case 'raised':
      case 'rule-failed':
      case 'not-judged':
        return raise(engine, tenantTx, prepared, recordedAt)
      case 'cleared':
        return clear(tenantTx, prepared, recordedAt)
      case 'evidence-changed': {
        const alert = await latest(tenantTx, prepared)
        if (alert !== undefined) await addEvent(tenantTx, alert.id, 'evidence-changed', prepared, recordedAt)
      }
    }
  })

async function raise(engine: Engine, tx: TenantTx, prepared: Prepared, recordedAt: number): Promise<void> {
  const open = await alerts(tx, prepared).where('handling', '<>', 'closed').forUpdate().executeTakeFirst()
  if (open === undefined) return open_(engine, tx, prepared, recordedAt)
  const { transition } = prepared
  // A backfill adds to what stands open; it pages nobody and changes nothing of how it stands.
  if (transition.historic) return addEvent(tx, open.id, 'found-late', prepared, recordedAt)
  await tx
    .tables<AlertingTables>()
    .updateTable('alert')
    .set({
      ...{ condition: 'active', cleared_at: null, handling: 'new', historic: false, moved_devices: [] },
      ...{ rule_version: transition.version, enrolment_id: transition.enrolment, key_id: prepared.key.id },
      summary: sealSummary(prepared.key, prepared.tenant, open.id, prepared.summary!),
    })
    .where('id', '=', open.id)
    .execute()
  await addEvent(tx, open.id, 'recurred', prepared, recordedAt)
  await tx.publish({ type: 'AlertRecurred', alert: open.id, subject: transition.subject })
}

async function open_(engine: Engine, tx: TenantTx, prepared: Prepared, recordedAt: number): Promise<void> {
  const { transition, rule, key, tenant } = prepared
  const id = engine.ids.uuid()
  const failed = transition.what !== 'raised'
  const { historic } = transition
  const priority = failed ? 'low' : rule.priority
  await tx
    .tables<AlertingTables>()
    .insertInto('alert')
    .values({
      ...{ id, rule_id: transition.rule, rule_version: transition.version, program: prepared.program },
      ...{ subject_id: transition.subject, enrolment_id: transition.enrolment, focus: transition.focus },
      ...{ priority, nature: failed ? 'technical' : rule.nature, historic, handling: 'new' },
      // Found late means that nobody knows whether it stands: readings of now decide that, by an alert that is not historic.
      ...{ condition: historic ? 'cleared' : 'active', cleared_at: historic ? transition.at : null },
      ...{ raised_at: transition.at, recorded_at: recordedAt, closed_at: null },
      ...{ key_id: key.id, summary: sealSummary(key, tenant, id, prepared.summary!) },
    })
    .execute()
  await addEvent(tx, id, 'raised', prepared, recordedAt)
  const { subject, rule: ruleId } = transition
  await tx.publish({ type: 'AlertRaised', alert: id, subject, rule: ruleId, priority, historic })
}

async function clear(tx: TenantTx, prepared: Prepared, recordedAt: number): Promise<void> {
  const { transition } = prepared
  const query = transition.historic
    ? alerts(tx, prepared).where('historic', '=', true)
    : alerts(tx, prepared).where('condition', '=', 'active')
  const alert = await query.orderBy('recorded_at', 'desc').limit(1).forUpdate().executeTakeFirst()
  if (alert === undefined) return
  await tx
    .tables<AlertingTables>()
    .updateTable('alert')
    .set({ condition: 'cleared', cleared_at: transition.at })
    .where('id', '=', alert.id)
    .execute()
  await addEvent(tx, alert.id, 'cleared', prepared, recordedAt)
  await tx.publish({ type: 'AlertCleared', alert: alert.id, subject: transition.subject })
}

const latest = (tx: TenantTx, prepared: Prepared): Promise<AlertRow | undefined> =>
  alerts(tx, prepared).orderBy('recorded_at', 'desc').limit(1).executeTakeFirst()

const alerts = (tx: TenantTx, { transition }: Prepared) =>
  tx
    .tables<AlertingTables>()
    .selectFrom('alert')
    .selectAll()
    .where('rule_id', '=', transition.rule)
    .where('subject_id', '=', transition.subject)
    .where('focus', '=', transition.focus)

async function addEvent(
  tx: TenantTx,
  alert: string,
  what: AlertingTables['alert_event']['what'],
  prepared: Prepared,
  recordedAt: number,
): Promise<void> {
  const { key, evidence, tenant, partition, position, ordinal } = prepared
  const detail = evidence === null ? null : sealDetail(key, tenant, alert, evidence)
  await tx
    .tables<AlertingTables>()
    .insertInto('alert_event')
    .values({
      ...{ alert_id: alert, what, at: prepared.transition.at, recorded_at: recordedAt, actor: null },
      ...{ partition, position, ordinal, detail, key_id: detail === null ? null : key.id },
    })
    .execute()
}
