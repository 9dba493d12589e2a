/** Programs as PlanDefinition: whom they are for, and each rule as an action with its condition in words, its owner and its limit. */
import type { Priority, Role } from '@careloop/contract'
import { conditionInWords } from '@careloop/rules'
import { concept, type Derived, iso, type View, viewSystems } from '../../clinical/index.ts'
import type { Engine } from '../../engine/index.ts'
import { type InstalledProgram, type InstalledRule, listPrograms } from '../programs.ts'

export const programView = (engine: Engine): View => ({
  name: 'programs',
  types: ['PlanDefinition'],
  facts: ['RuleActivated'],
  idsOf: ({ tenant, body }) => codesOf(engine, tenant, 'r.id = $2::uuid', [(body as { rule: string }).rule]),
  page: (tenant, after, limit) =>
    codesOf(engine, tenant, '($2::text is null or p.code > $2)', [after]).then((codes) => codes.slice(0, limit)),
  // Editing and switching off are told of to nobody.
  changed: (tenant, since, until) =>
    codesOf(
      engine,
      tenant,
      `exists (select from tenant.rule_change c
                where c.tenant_id = r.tenant_id and c.rule_id = r.id and c.at > $2 and c.at <= $3)`,
      [since, until],
    ),
  async open(tenant, codes) {
    const installed = (await listPrograms(engine, tenant)).filter(({ head }) => codes.includes(head.code))
    return async (tx) => {
      const { rows } = await tx.client.query<{ code: string; at: string }>(
        `select p.code, greatest(p.installed_at, max(v.activated_at), max(c.at)) as at from tenant.program p
           left join tenant.rule r on r.tenant_id = $1 and r.program = p.code
           left join tenant.rule_version v on v.tenant_id = $1 and v.rule_id = r.id
           left join tenant.rule_change c on c.tenant_id = $1 and c.rule_id = r.id
          where p.tenant_id = $1 and p.code = any($2::text[]) group by p.tenant_id, p.code`,
        [tx.tenant, codes],
      )
      const changedAt = new Map(rows.map(({ code, at }) => [code, Number(at)]))
      return { keep: installed.map((program) => planOf(program, changedAt.get(program.head.code) ?? 0)) }
    }
  },
})

async function codesOf(engine: Engine, tenant: string, where: string, values: readonly unknown[]): Promise<string[]> {
  return engine.db.asTenant(tenant, async (tx) => {
    const { rows } = await tx.client.query<{ code: string }>(
      `select distinct p.code from tenant.program p
         left join tenant.rule r on r.tenant_id = p.tenant_id and r.program = p.code
        where p.tenant_id = $1 and ${where} order by p.code`,
      [tenant, ...values],
    )
    return rows.map(({ code }) => code)
  })
}

const resourceTypes = { patient: 'Patient', asset: 'Device', location: 'Location' } as const

function planOf({ head, rules }: InstalledProgram, at: number): Derived {
  const { code, title, use, notice, subjectKind } = head
  const isActive = rules.some(({ active }) => active)
  const resource = {
    ...{ resourceType: 'PlanDefinition', id: code, url: `${viewSystems.program}:${code}`, name: nameOf(code), title },
    type: concept({ system: 'http://terminology.hl7.org/CodeSystem/plan-definition-type', code: 'eca-rule' }),
    status: isActive ? 'active' : 'retired',
    subjectCodeableConcept: concept({
      ...{ system: 'http://hl7.org/fhir/resource-types', code: resourceTypes[subjectKind] },
    }),
    ...{ date: iso(at), description: notice, purpose: use },
    ...(rules.length === 0 ? {} : { action: rules.map(actionOf) }),
  }
  return { resource, subject: null, at }
}

/** A name that programs can use: letters, digits and underscores. */
const nameOf = (code: string): string =>
  code.replace(/(^|-)(\w)/g, (_all, _hyphen, letter: string) => letter.toUpperCase()).replace(/^(?=\d)/, 'P')

const priorities: Readonly<Record<Priority, string>> = { high: 'stat', medium: 'urgent', low: 'routine' }

function actionOf({ definition, active, version }: InstalledRule) {
  const { code, title, priority, body, action, owner, backup, limitMs, why } = definition
  return {
    prefix: `${version}${active ? '' : ' (switched off)'}`,
    ...{ title, description: conditionInWords(body), textEquivalent: action, priority: priorities[priority] },
    code: [concept({ system: viewSystems.rule, code })],
    ...(why === '' ? {} : { documentation: [{ type: 'justification', display: why }] }),
    timingDuration: { value: limitMs / 60_000, unit: 'min', system: 'http://unitsofmeasure.org', code: 'min' },
    participant: [owner, backup].map((role) => ({ type: 'practitioner', role: roleOf(role) })),
  }
}

const roleOf = (role: Role) => concept({ system: viewSystems.role, code: role })
