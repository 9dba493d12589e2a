/** What is watched of one subject, and what was told of it: its rules with its own limits, and its alerts over a span. */
import type { OverrideBody, SubjectAlerts, SubjectAlertsQuery, SubjectRules } from '@careloop/contract'
import type { OwnedRule, SubjectRule } from '@careloop/rules'
import type { Engine } from '../engine/index.ts'
import { assertSubject, audited, type By, type Subjects } from '../subjects/index.ts'
import { alertsOf } from './alerts.ts'
import { thingOf } from './consented.ts'
import type { Members } from './members.ts'
import { openOverride, standingRows } from './override-store.ts'
import { overrideBody } from './overrides.ts'
import type { Rulebook } from './rulebook.ts'
import type { AlertingTables, ProgramHead } from './schema.ts'
import { alertBody, programRef, ruleRef, signalsOfRule, staffNamesOf, thresholdsOf } from './shown.ts'
import { spansOf } from './spans.ts'

export interface SubjectParts {
  readonly engine: Engine
  readonly subjects: Pick<Subjects, 'names' | 'consents'>
  readonly rulebook: Rulebook
  readonly members: Members
}

/** The rules that stand now, with the subject's own limits in them; audited. @throws Failure `subject-not-found` */
export async function rulesOfSubject(
  { engine, subjects, rulebook, members }: SubjectParts,
  by: By,
  subject: string,
): Promise<SubjectRules> {
  const now = engine.clock.now()
  const gate = await subjects.consents.gate(by)
  const { heads, rows, shown } = await engine.db.asTenant(by.tenant, async (tx) => {
    await assertSubject(tx, subject, '/params/id', by.sight)
    await audited(tx, by, 'read', 'override', { subjects: [subject] })
    const programs = await tx.tables<AlertingTables>().selectFrom('program').selectAll().execute()
    return {
      heads: new Map(programs.map(({ code, definition }) => [code, definition])),
      rows: await standingRows(tx, [subject]),
      shown: await gate.shown(tx, subject),
    }
  })
  const names = await staffNamesOf(members, by.tenant)
  const overrides = new Map<string, OverrideBody>()
  for (const row of rows) overrides.set(row.rule_id, overrideBody(await openOverride(engine, by.tenant, row), names))
  const specs = await rulebook.rulesOf(by.tenant, subject)
  const standing = specs.filter(({ from, to }) => from <= now && (to === null || to > now))
  const rules = standing.map(async (spec) => {
    const { program, definition } = await rulebook.version(by.tenant, spec.rule, spec.version)
    const override = spec.override === undefined ? undefined : overrides.get(spec.rule)
    return ruleOfSubject(spec, definition, heads.get(program)!, override)
  })
  const found = await Promise.all(rules)
  return {
    rules: found.filter(({ program, signals }) => shown.everything || shown.may({ program: program.code, signals })),
  }
}

function ruleOfSubject(
  { rule, version, compiled }: SubjectRule,
  definition: OwnedRule,
  program: ProgramHead,
  override: OverrideBody | undefined,
): SubjectRules['rules'][number] {
  const standing = { ...definition, body: compiled.body }
  return {
    ...{ rule: ruleRef(rule, version, standing), program: programRef(program) },
    ...{ priority: definition.priority, nature: definition.nature, kind: compiled.body.kind },
    ...{ signals: [...signalsOfRule(standing)], thresholds: thresholdsOf(standing) },
    ...(override === undefined ? {} : { override }),
  }
}

const maxAlerts = 500

/** Alerts that stood in [from, to), newest first; audited. @throws Failure `subject-not-found` */
export async function alertsOfSubject(
  { engine, subjects }: SubjectParts,
  by: By,
  subject: string,
  { from, to }: SubjectAlertsQuery,
): Promise<SubjectAlerts> {
  const gate = await subjects.consents.gate(by)
  const { found, spans } = await engine.db.asTenant(by.tenant, async (tx) => {
    await assertSubject(tx, subject, '/params/id', by.sight)
    let query = tx.tables<AlertingTables>().selectFrom('alert').select('id').where('subject_id', '=', subject)
    if (to !== undefined) query = query.where('raised_at', '<', String(to))
    if (from !== undefined)
      query = query.where((eb) => eb.or([eb('cleared_at', 'is', null), eb('cleared_at', '>=', String(from))]))
    const rows = await query.orderBy('raised_at', 'desc').orderBy('id', 'desc').limit(maxAlerts).execute()
    const ids = rows.map(({ id }) => id)
    await audited(tx, by, 'read', 'alert', { subjects: [subject] })
    const alerts = await alertsOf(engine, tx, ids)
    const shown = await gate.shown(tx, subject)
    const found = ids
      .flatMap((id) => alerts.get(id) ?? [])
      .filter(({ program, rule }) => shown.everything || shown.may(thingOf(program.code, rule.definition)))
    return { found, spans: await spansOf(tx, found) }
  })
  const named = (await subjects.names(by.tenant, [subject])).get(subject)
  if (named === undefined) return { items: [] }
  // One that came back lies around the time in question without having stood in it.
  const stood = found.filter(({ id }) =>
    spans.get(id)!.some((span) => span.from < (to ?? Infinity) && (span.to ?? Infinity) >= (from ?? 0)),
  )
  return {
    items: stood.map((alert) => ({
      ...alertBody(alert, named),
      ...{ program: programRef(alert.program), ruleCode: alert.rule.definition.code },
      ...{ title: alert.rule.definition.title, signals: [...signalsOfRule(alert.rule.definition)] },
      spans: spans.get(alert.id)!,
    })),
  }
}
