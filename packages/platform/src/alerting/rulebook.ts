/** Rule versions in memory: compiled once, since a version never changes; and which of them stand for a subject. */

import { type EnrolmentView, Failure } from '@careloop/contract'
import { type CompiledRule, compileRule, type OwnedRule, type SubjectRule } from '@careloop/rules'
import type { Engine, TenantTx } from '../engine/index.ts'
import type { Subjects } from '../subjects/index.ts'
import { alertingMetrics } from './alerting-metrics.ts'
import { isDamage, isErased } from './checkpoint.ts'
import { changedBody } from './limits.ts'
import { openOverride, overrideRow, standingRows } from './override-store.ts'
import { inOwnWords } from './own-words.ts'
import type { AlertingTables } from './schema.ts'

export interface RuleVersion {
  readonly program: string
  readonly definition: OwnedRule
  readonly compiled: CompiledRule
}

export interface Rulebook {
  /** @throws when there is no such version: checkpoints and alerts only name what was activated */
  version(tenant: string, rule: string, version: number): Promise<RuleVersion>
  /**
   * The version with the limits of an override, ended or not, in its body. One that does not fit this version, or cannot be opened
   * any more, changes nothing.
   */
  overridden(tenant: string, rule: string, version: number, override: string | null): Promise<RuleVersion>
  /** The rules that stand for a subject by its enrolments, past and future ones too: spans decide per reading. */
  rulesOf(tenant: string, subject: string): Promise<SubjectRule[]>
  /** The same of many at once; who has none may be absent. */
  rulesOfMany(tenant: string, subjects: readonly string[]): Promise<ReadonlyMap<string, SubjectRule[]>>
}

/** Overrides that are kept compiled; each is looked up again when it is asked for after being let go. */
const maxOverridden = 10_000

export function makeRulebook(engine: Engine, subjects: Pick<Subjects, 'enrolmentsOfMany'>): Rulebook {
  const known = new Map<string, RuleVersion>()
  const withOverride = new Map<string, RuleVersion>()

  const version = async (tenant: string, rule: string, number: number): Promise<RuleVersion> => {
    const key = `${tenant}/${rule}/${number}`
    const cached = known.get(key)
    if (cached !== undefined) return cached
    const row = await engine.db.asTenant(tenant, (tx) =>
      tx
        .tables<AlertingTables>()
        .selectFrom('rule_version')
        .innerJoin('rule', 'rule.id', 'rule_version.rule_id')
        .select(['rule.program', 'rule_version.definition'])
        .where('rule_version.rule_id', '=', rule)
        .where('rule_version.version', '=', number)
        .executeTakeFirstOrThrow(),
    )
    const definition = row.definition as OwnedRule
    const loaded = { program: row.program, definition, compiled: compileRule(definition.body) }
    known.set(key, loaded)
    return loaded
  }

  const overridden = async (tenant: string, rule: string, number: number, override: string | null) => {
    const standing = await version(tenant, rule, number)
    if (override === null) return standing
    const key = `${tenant}/${override}/${number}`
    const cached = withOverride.get(key)
    if (cached !== undefined) return cached
    const changed = await withLimitsOf(engine, tenant, standing, override)
    if (withOverride.size >= maxOverridden) withOverride.clear()
    withOverride.set(key, changed)
    return changed
  }

  const specOf = async (tenant: string, enrolment: EnrolmentView, rule: ActiveRule, override: string | null) => {
    const number = rule.active_version!
    const { compiled, definition } = await overridden(tenant, rule.id, number, override)
    const { from, to } = enrolment
    const spec: SubjectRule = { rule: rule.id, version: number, enrolment: enrolment.id, from, to, compiled }
    if (override === null) return spec
    const isChanged = definition.body !== (await version(tenant, rule.id, number)).definition.body
    return isChanged ? { ...spec, override } : spec
  }

  const rulesOfMany = async (tenant: string, ids: readonly string[]): Promise<Map<string, SubjectRule[]>> => {
    const enrolments = await subjects.enrolmentsOfMany(tenant, ids)
    const programs = [...new Set([...enrolments.values()].flat().map(({ program }) => program))]
    const specs = new Map<string, SubjectRule[]>()
    if (programs.length === 0) return specs
    const { active, overrides } = await engine.db.asTenant(tenant, async (tx) => {
      const standing = await standingRows(tx, ids)
      const byRule = new Map(standing.map((row) => [`${row.subject_id}/${row.rule_id}`, row.id]))
      return { active: await activeRules(tx, programs), overrides: byRule }
    })
    for (const [subject, own] of enrolments) {
      const ofSubject: SubjectRule[] = []
      for (const enrolment of own)
        for (const rule of active)
          if (rule.program === enrolment.program)
            ofSubject.push(await specOf(tenant, enrolment, rule, overrides.get(`${subject}/${rule.id}`) ?? null))
      specs.set(subject, ofSubject)
    }
    return specs
  }

  return {
    version,
    overridden,
    rulesOf: async (tenant, subject) => (await rulesOfMany(tenant, [subject])).get(subject) ?? [],
    rulesOfMany,
  }
}

interface ActiveRule {
  readonly id: string
  readonly program: string
  readonly active_version: number | null
}

const activeRules = (tx: TenantTx, programs: readonly string[]): Promise<ActiveRule[]> =>
  tx
    .tables<AlertingTables>()
    .selectFrom('rule')
    .select(['id', 'program', 'active_version'])
    .where('program', 'in', [...programs])
    .where('active_version', 'is not', null)
    .orderBy('program')
    .orderBy('place')
    .execute()

async function withLimitsOf(engine: Engine, tenant: string, standing: RuleVersion, id: string): Promise<RuleVersion> {
  const row = await engine.db.asTenant(tenant, (tx) => overrideRow(tx, id))
  if (row === undefined) return standing
  try {
    const { changes } = await openOverride(engine, tenant, row)
    const body = changedBody(standing.definition.body, changes, '')
    return { ...standing, definition: inOwnWords(standing.definition, body, 'Own limit'), compiled: compileRule(body) }
  } catch (err) {
    if (isErased(err)) return standing
    // One limit that cannot be read must not keep the rules of everybody from standing: the program's own limits stand.
    if (!isDamage(err)) throw err
    const about = { tenant, override: id, subject: row.subject_id, rule: row.rule_id }
    // The rule was changed since, so that the subject's limit no longer has a place in it.
    if (err instanceof Failure && err.code === 'limit-invalid')
      engine.watch.log.error(about, 'a limit of one subject does not fit the rule as it stands now')
    else {
      alertingMetrics(engine.watch.metrics).overridesUnreadable.inc()
      engine.watch.log.error(
        { err, ...about },
        "a limit of one subject could not be opened: the program's limits stand",
      )
    }
    return standing
  }
}
