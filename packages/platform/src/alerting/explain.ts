/** Why an alert exists, and what proves it: answerable for ever from the alert's own evidence, without the log. */
import {
  type AlertEventBody,
  type EvidenceFrame,
  type EvidenceReading,
  type ExplainBody,
  shownUnit,
  signal,
} from '@careloop/contract'
import { compileRule, type OwnedRule, testsPositive } from '@careloop/rules'
import { record } from '../audit/index.ts'
import type { Engine, TenantTx } from '../engine/index.ts'
import { type By, isSeen, purposed, type Subjects } from '../subjects/index.ts'
import { type Alert, alertById } from './alerts.ts'
import { thingOf } from './consented.ts'
import { alertingFailure } from './errors.ts'
import { asNumber, type Evidence, type KeptFrame, type KeptReading } from './evidence.ts'
import { openOverride, overrideRow } from './override-store.ts'
import { overrideBody } from './overrides.ts'
import type { Rulebook } from './rulebook.ts'
import { type AlertingTables, toMs } from './schema.ts'
import { alertBody, programRef, ruleRef, type StaffNames, staffNamesOf, staffRef, thresholdsOf } from './shown.ts'
import { spansFrom } from './spans.ts'
import { openDetail } from './summary.ts'

export interface ExplainParts {
  readonly engine: Engine
  readonly subjects: Pick<Subjects, 'names' | 'consents'>
  readonly members: StaffNames
  readonly rulebook: Rulebook
}

/** @throws Failure `alert-not-found`, `key-destroyed` */
export const explain = (parts: ExplainParts, by: By, id: string): Promise<ExplainBody> =>
  parts.subjects.consents.guard(by, 'alert', (heldBack) => explainShown(parts, by, id, heldBack))

async function explainShown(
  parts: ExplainParts,
  by: By,
  id: string,
  heldBack: (subject: string) => void,
): Promise<ExplainBody> {
  const { engine, subjects, members, rulebook } = parts
  const names = await staffNamesOf(members, by.tenant)
  const gate = await subjects.consents.gate(by)
  const { alert, events, own } = await engine.db.asTenant(by.tenant, async (tx) => {
    const alert = await alertById(engine, tx, id)
    if (!(await isSeen(tx, alert.subject, by.sight)))
      throw alertingFailure('alert-not-found', 'No alert has this id.', { pointer: '/params/id' })
    if (!(await gate.shown(tx, alert.subject)).may(thingOf(alert.program.code, alert.rule.definition))) {
      heldBack(alert.subject)
      throw alertingFailure('alert-not-found', 'No alert has this id.', { pointer: '/params/id' })
    }
    const events = await eventsOf(engine, tx, alert)
    const own = alert.override === null ? undefined : await overrideRow(tx, alert.override)
    const { actor, requestId } = by
    const entry = { actor, action: 'read', resource: 'alert', id, subject: alert.subject, requestId } as const
    await record(tx, purposed(by.sight, entry))
    return { alert, events, own }
  })
  const subject = (await subjects.names(by.tenant, [alert.subject])).get(alert.subject)
  if (subject === undefined) throw alertingFailure('alert-not-found', 'The subject of this alert was erased.')
  const { rule, version } = { rule: alert.rule.id, version: alert.rule.version }
  const { definition } = await rulebook.overridden(by.tenant, rule, version, alert.override)
  const evidence = events.flatMap((event) => event.evidence ?? [])
  const isSilence = evidence.some(({ silence }) => silence !== undefined)
  return {
    alert: alertBody(alert, subject),
    program: programRef(alert.program),
    rule: ruleRef(rule, version, definition),
    checklist: [...definition.checklist],
    thresholds: thresholdsOf(definition),
    readings: readingsOf(definition, evidence),
    frames: framesOf(evidence),
    readingsLeftOut: evidence.reduce((sum, each) => sum + each.leftOut, 0),
    events: events.map((event) => eventBody(event, names)),
    ...{ spans: spansFrom(events, alert), kind: definition.body.kind },
    ...(own === undefined ? {} : { override: overrideBody(await openOverride(engine, by.tenant, own), names) }),
    ...(isSilence ? { silence: true } : {}),
  }
}

function eventBody(event: Event, names: ReadonlyMap<string, string>): AlertEventBody {
  const { what, at, recordedAt, actor, evidence, rearm, rearmAt } = event
  const person = actor?.startsWith('staff:') ? staffRef(names, actor.slice('staff:'.length)) : null
  return {
    ...{ what, at, recordedAt },
    ...(evidence?.why === undefined ? {} : { why: evidence.why }),
    ...(rearm === 'worse' ? { rearm: { until: rearm } } : {}),
    ...(rearm === 'time' ? { rearm: { until: rearm, at: rearmAt! } } : {}),
    ...(person === null ? {} : { by: person }),
  }
}

interface Event {
  readonly what: AlertEventBody['what']
  readonly at: number
  readonly recordedAt: number
  readonly actor: string | null
  readonly rearm: 'worse' | 'time' | null
  readonly rearmAt: number | null
  readonly evidence: Evidence | null
}

async function eventsOf(engine: Engine, tx: TenantTx, alert: Alert): Promise<Event[]> {
  const rows = await tx
    .tables<AlertingTables>()
    .selectFrom('alert_event')
    .selectAll()
    .where('alert_id', '=', alert.id)
    .orderBy('id')
    .execute()
  return Promise.all(
    rows.map(async (row) => {
      const key = row.key_id === null ? null : await engine.keys.key(row.key_id)
      const evidence =
        key === null || row.detail === null ? null : openDetail<Evidence>(key, tx.tenant, alert.id, row.detail)
      const { what, actor, rearm } = row
      const rearmAt = row.rearm_at === null ? null : toMs(row.rearm_at)
      return { what, at: toMs(row.at), recordedAt: toMs(row.recorded_at), actor, rearm, rearmAt, evidence }
    }),
  )
}

/** All readings of all evidence, once each, in order of being measured. */
function readingsOf(rule: OwnedRule, evidence: readonly Evidence[]): EvidenceReading[] {
  const compiled = compileRule(rule.body)
  const once = new Map<string, KeptReading>()
  for (const reading of evidence.flatMap((each) => each.readings)) {
    const { partition, position, index } = reading.source
    once.set(`${partition}/${position}/${index}/${reading.signal}/${reading.measuredAt}`, reading)
  }
  const sorted = [...once.values()].sort((a, b) => a.measuredAt - b.measuredAt)
  return sorted.map((reading) => {
    const known = signal(reading.signal)
    const ucum = known?.unit ?? ''
    const { partition, position, index, device, receivedAt, storedAt } = reading.source
    return {
      ...{ signal: reading.signal, label: known?.label ?? reading.signal },
      ...{ value: asNumber(reading.value), unit: shownUnit(ucum), ucum },
      ...{ measuredAt: reading.measuredAt, receivedAt, storedAt, device },
      ...(typeof reading.value === 'number' ? {} : { comparator: reading.value.comparator }),
      ...(reading.group === '' ? {} : { groupId: reading.group }),
      ...(reading.flags === undefined ? {} : { flags: [...reading.flags] }),
      breach: testsPositive(compiled, reading.signal, reading.value),
      address: { partition, position, index },
    }
  })
}

function framesOf(evidence: readonly Evidence[]): EvidenceFrame[] {
  const once = new Map<string, KeptFrame>()
  for (const frame of evidence.flatMap((each) => each.frames)) {
    const key = `${frame.source.partition}/${frame.source.position}/${frame.source.index}`
    if (once.get(key)?.base64 === undefined) once.set(key, frame)
  }
  const sorted = [...once.values()].sort((a, b) => a.source.position - b.source.position)
  return sorted.map(({ source, door, format, sha256, sizeBytes, base64 }) => ({
    address: { partition: source.partition, position: source.position, index: source.index },
    ...{ device: source.device, receivedAt: source.receivedAt, door, format, sha256, sizeBytes },
    ...(base64 === undefined ? { state: 'expired' } : { state: 'kept', base64 }),
  }))
}
