/** Alerts as consent sees them: what they tell of, and the program by which they were inferred. */
import type { OwnedRule } from '@careloop/rules'
import type { Engine, RowReader, TenantTx } from '../engine/index.ts'
import type { ProgramSignals, Thing } from '../subjects/index.ts'
import type { AlertingTables } from './schema.ts'
import { signalsOfRule } from './shown.ts'

/** A rule that waits for a connection tells of the device. */
export function thingOf(program: string, rule: OwnedRule): Thing {
  const signals = signalsOfRule(rule)
  return signals.length === 0 ? { program, class: 'device' } : { program, signals }
}

/** By id of the alert; those that do not exist are absent. Nothing is opened for it. */
export async function thingsOfAlerts(tx: TenantTx, ids: readonly string[]): Promise<ReadonlyMap<string, Thing>> {
  if (ids.length === 0) return new Map()
  const rows = await tx
    .tables<AlertingTables>()
    .selectFrom('alert')
    .innerJoin('rule_version', (join) =>
      join
        .onRef('rule_version.rule_id', '=', 'alert.rule_id')
        .onRef('rule_version.version', '=', 'alert.rule_version')
        .onRef('rule_version.tenant_id', '=', 'alert.tenant_id'),
    )
    .select(['alert.id', 'alert.program', 'rule_version.definition'])
    .where('alert.id', 'in', [...new Set(ids)])
    .execute()
  return new Map(rows.map(({ id, program, definition }) => [id, thingOf(program, definition as OwnedRule)]))
}

/** Programs under 42 CFR Part 2 and, when there is one, which signals every program reads: what consent asks of programs. */
export const programSignals = (engine: Engine, tenant: string): Promise<readonly ProgramSignals[]> =>
  engine.db.asTenantReading(tenant, (tx) => tx.readOne(programSignalsWithin, null))

/** Every look at a patient asks for the same: it is read once for all that wait. */
export const programSignalsWithin: RowReader<null, readonly ProgramSignals[]> = async (tx, asked) => {
  const signals = await readProgramSignals(tx)
  return asked.map(() => signals)
}

async function readProgramSignals(tx: TenantTx): Promise<readonly ProgramSignals[]> {
  const { rows: heads } = await tx.client.query<{ code: string; label: string | null }>({
    name: 'careloop-program-labels',
    text: `select code, definition ->> 'label' as label from tenant.program where tenant_id = $1`,
    values: [tx.tenant],
  })
  if (!heads.some(({ label }) => label === 'part2')) return []
  // Every version: a signal that a program read once keeps its label.
  const rules = await tx
    .tables<AlertingTables>()
    .selectFrom('rule')
    .innerJoin('rule_version', (join) =>
      join.onRef('rule_version.rule_id', '=', 'rule.id').onRef('rule_version.tenant_id', '=', 'rule.tenant_id'),
    )
    .select(['rule.program', 'rule_version.definition'])
    .execute()
  return heads.map(({ code, label }) => {
    const own = rules.filter(({ program }) => program === code)
    const signals = new Set(own.flatMap((rule) => [...signalsOfRule(rule.definition as OwnedRule)]))
    return { code, part2: label === 'part2', signals }
  })
}
