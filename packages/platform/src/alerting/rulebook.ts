/** Rule versions in memory: compiled once, since a version never changes; and which of them stand for a subject. */
import { type CompiledRule, compileRule, type OwnedRule, type SubjectRule } from '@careloop/rules'
import type { Engine } from '../engine/index.ts'
import type { Subjects } from '../subjects/index.ts'
import { isErased } from './checkpoint.ts'
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
}

/** Overrides that are kept compiled; each is looked up again when it is asked for after being let go. */
const maxOverridden = 10_000

export function makeRulebook(engine: Engine, subjects: Pick<Subjects, 'enrolmentsOf'>): Rulebook {
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

  return {
    version,
    overridden,
    async rulesOf(tenant, subject) {
      const enrolments = await subjects.enrolmentsOf(tenant, subject)
      const programs = [...new Set(enrolments.map((enrolment) => enrolment.program))]
      if (programs.length === 0) return []
      const { active, overrides } = await engine.db.asTenant(tenant, async (tx) => ({
        active: await tx
          .tables<AlertingTables>()
          .selectFrom('rule')
          .select(['id', 'program', 'active_version'])
          .where('program', 'in', programs)
          .where('active_version', 'is not', null)
          .orderBy('program')
          .orderBy('place')
          .execute(),
        overrides: new Map((await standingRows(tx, subject)).map((row) => [row.rule_id, row.id])),
      }))
      const specs: SubjectRule[] = []
      for (const { id: enrolment, program, from, to } of enrolments) {
        for (const { id: rule, active_version, ...of } of active) {
          if (of.program !== program) continue
          const number = active_version!
          const override = overrides.get(rule) ?? null
          const { compiled, definition } = await overridden(tenant, rule, number, override)
          const isChanged =
            override !== null && definition.body !== (await version(tenant, rule, number)).definition.body
          const spec = { rule, version: number, enrolment, from, to, compiled }
          specs.push(isChanged ? { ...spec, override } : spec)
        }
      }
      return specs
    },
  }
}

async function withLimitsOf(engine: Engine, tenant: string, standing: RuleVersion, id: string): Promise<RuleVersion> {
  const row = await engine.db.asTenant(tenant, (tx) => overrideRow(tx, id))
  if (row === undefined) return standing
  try {
    const { changes } = await openOverride(engine, tenant, row)
    const body = changedBody(standing.definition.body, changes, '')
    return { ...standing, definition: inOwnWords(standing.definition, body, 'Own limit'), compiled: compileRule(body) }
  } catch (error) {
    if (isErased(error)) return standing
    // The rule was changed since, so that the subject's limit no longer has a place in it: the program's own limits stand.
    if ((error as { code?: string }).code !== 'limit-invalid') throw error
    engine.watch.log.error({ tenant, override: id }, 'a limit of one subject does not fit the rule as it stands now')
    return standing
  }
}
