/**
 * Alerts that were raised on the wrong person: their evidence holds readings of a device that, after a correction of who wore
 * it, belong to somebody else. They are marked, open and closed ones alike, and never closed by it.
 */
import type { AssignmentChanged } from '@careloop/contract'
import { record } from '../audit/index.ts'
import type { Engine, EngineTx, TenantTx } from '../engine/index.ts'
import { isErased } from './checkpoint.ts'
import type { Evidence } from './evidence.ts'
import { skewMs, wearerAt } from './log-history.ts'
import type { AlertingTables } from './schema.ts'
import { openDetail } from './summary.ts'

/** An alert that a correction marks, or frees of its mark. */
export interface Mark {
  readonly tenant: string
  readonly alert: string
  readonly subject: string
  readonly what: 'wrong-subject' | 'right-subject'
  /** Devices whose readings in the evidence are somebody else's now. */
  readonly movedDevices: readonly string[]
}

/** The log entry that decided the marks. */
export interface MarkPlace {
  readonly partition: number
  readonly position: number
  readonly storedAt: number
}

/** Looks through the evidence of all that was told since the correction's `since`. */
export async function findMarks(engine: Engine, change: AssignmentChanged): Promise<Mark[]> {
  const candidates = await engine.db.asTenant(change.tenant, (tx) => candidatesSince(tx, change.since - skewMs))
  const marks: Mark[] = []
  for (const [alert, rows] of Map.groupBy(candidates, (row) => row.alert_id)) {
    const { subject_id: subject, moved_devices: before } = rows[0]!
    const evidence = await openAll(engine, change.tenant, alert, rows)
    const movedDevices = evidence === null ? before : judged(evidence, change, subject, before)
    if (movedDevices.length === before.length) continue
    const what = movedDevices.length > before.length ? 'wrong-subject' : 'right-subject'
    marks.push({ tenant: change.tenant, alert, subject, what, movedDevices })
  }
  return marks
}

interface Candidate {
  readonly alert_id: string
  readonly subject_id: string
  readonly moved_devices: readonly string[]
  readonly key_id: string | null
  readonly detail: Buffer | null
}

const candidatesSince = (tx: TenantTx, since: number): Promise<Candidate[]> =>
  tx
    .tables<AlertingTables>()
    .selectFrom('alert_event as event')
    .innerJoin('alert', (join) =>
      join.onRef('alert.id', '=', 'event.alert_id').onRef('alert.tenant_id', '=', 'event.tenant_id'),
    )
    .select(['event.alert_id', 'alert.subject_id', 'alert.moved_devices', 'event.key_id', 'event.detail'])
    .where('event.recorded_at', '>=', String(since))
    .where('event.detail', 'is not', null)
    .orderBy('event.alert_id')
    .orderBy('event.id')
    .execute()

async function openAll(
  engine: Engine,
  tenant: string,
  alert: string,
  rows: readonly Candidate[],
): Promise<Evidence[] | null> {
  try {
    return await Promise.all(
      rows.map(async ({ key_id, detail }) =>
        openDetail<Evidence>(await engine.keys.key(key_id!), tenant, alert, detail!),
      ),
    )
  } catch (error) {
    if (isErased(error)) return null
    throw error
  }
}

function judged(
  evidence: readonly Evidence[],
  { device, since, assignments }: AssignmentChanged,
  subject: string,
  before: readonly string[],
): readonly string[] {
  const ofDevice = evidence.flatMap((each) => each.readings).filter((reading) => reading.source.device === device)
  const touched = ofDevice.filter((reading) => reading.measuredAt >= since)
  if (touched.length === 0) return before
  if (touched.some((reading) => wearerAt(assignments, reading.measuredAt) !== subject))
    return before.includes(device) ? before : [...before, device]
  // What lies before `since` is as it was, and may be why the alert is marked.
  return touched.length === ofDevice.length ? before.filter((each) => each !== device) : before
}

/** Writes a mark with its event, its audit entry and its fact. */
export const applyMark = (
  engine: Engine,
  tx: EngineTx,
  mark: Mark,
  { partition, position, storedAt }: MarkPlace,
  ordinal: number,
): Promise<void> =>
  tx.asTenant(mark.tenant, async (tenantTx) => {
    const { alert, subject, what } = mark
    const tables = tenantTx.tables<AlertingTables>()
    await tables
      .updateTable('alert')
      .set({ moved_devices: [...mark.movedDevices] })
      .where('id', '=', alert)
      .execute()
    await tables
      .insertInto('alert_event')
      .values({
        ...{ alert_id: alert, what, at: storedAt, recorded_at: engine.clock.now(), actor: null },
        ...{ partition, position, ordinal, key_id: null, detail: null },
      })
      .execute()
    const wrongSubject = mark.movedDevices.length > 0
    await record(tenantTx, { actor: 'system:alerting', action: 'correct', resource: 'alert', id: alert, subject })
    await tenantTx.publish({ type: 'AlertEvidenceChanged', alert, subject, wrongSubject })
  })
