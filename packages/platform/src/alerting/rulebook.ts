/** Rule versions in memory: compiled once, since a version never changes; and which of them stand for a subject. */
import { type CompiledRule, compileRule, type OwnedRule, type SubjectRule } from '@careloop/rules'
import type { Engine } from '../engine/index.ts'
import type { Subjects } from '../subjects/index.ts'
import type { AlertingTables } from './schema.ts'

export interface RuleVersion {
  readonly program: string
  readonly definition: OwnedRule
  readonly compiled: CompiledRule
}

export interface Rulebook {
  /** @throws when there is no such version: checkpoints and alerts only name what was activated */
  version(tenant: string, rule: string, version: number): Promise<RuleVersion>
  /** The rules that stand for a subject by its enrolments, past and future ones too: spans decide per reading. */
  rulesOf(tenant: string, subject: string): Promise<SubjectRule[]>
}

export function makeRulebook(engine: Engine, subjects: Pick<Subjects, 'enrolmentsOf'>): Rulebook {
  const known = new Map<string, RuleVersion>()

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

  return {
    version,
    async rulesOf(tenant, subject) {
      const enrolments = await subjects.enrolmentsOf(tenant, subject)
      const programs = [...new Set(enrolments.map((enrolment) => enrolment.program))]
      if (programs.length === 0) return []
      const active = await engine.db.asTenant(tenant, (tx) =>
        tx
          .tables<AlertingTables>()
          .selectFrom('rule')
          .select(['id', 'program', 'active_version'])
          .where('program', 'in', programs)
          .where('active_version', 'is not', null)
          .orderBy('program')
          .orderBy('place')
          .execute(),
      )
      const specs: SubjectRule[] = []
      for (const { id: enrolment, program, from, to } of enrolments) {
        for (const rule of active.filter((each) => each.program === program)) {
          const { compiled } = await version(tenant, rule.id, rule.active_version!)
          specs.push({ rule: rule.id, version: rule.active_version!, enrolment, from, to, compiled })
        }
      }
      return specs
    },
  }
}
