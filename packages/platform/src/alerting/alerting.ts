/** The alerting room as other rooms and `app` hold it. */
import type { ExplainBody } from '@careloop/contract'
import type { Program } from '@careloop/rules'
import type { Engine } from '../engine/index.ts'
import type { By, Subjects } from '../subjects/index.ts'
import { explain } from './explain.ts'
import { activateProgram, type InstalledProgram, listPrograms } from './programs.ts'
import type { StaffNames } from './shown.ts'

export interface Alerting {
  /** Activates a program's rules. @throws Failure `rule-incomplete` */
  activate(by: By, program: Program): Promise<{ activated: number }>
  programs(tenant: string): Promise<InstalledProgram[]>
  /** Why an alert exists; audited as a reading. @throws Failure `alert-not-found` */
  explain(by: By, alert: string): Promise<ExplainBody>
}

/** @param staff who works here, by name: identity's `members` */
export const makeAlerting = (engine: Engine, subjects: Pick<Subjects, 'names'>, staff: StaffNames): Alerting => ({
  activate: (by, program) => activateProgram(engine, by, program),
  programs: (tenant) => listPrograms(engine, tenant),
  explain: (by, alert) => explain(engine, subjects, staff, by, alert),
})
