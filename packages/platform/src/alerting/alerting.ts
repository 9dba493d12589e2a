/** The alerting room as other rooms and `app` hold it. */
import type {
  ExplainBody,
  NewOverride,
  OverrideBody,
  ProgramBody,
  RuleEdit,
  SubjectAlerts,
  SubjectAlertsQuery,
  SubjectRules,
  TakeFile,
} from '@careloop/contract'
import type { Program, SubjectRule } from '@careloop/rules'
import type { Engine } from '../engine/index.ts'
import type { By, Subjects } from '../subjects/index.ts'
import { type Activated, activateProgram } from './activate-program.ts'
import { activateRule, deactivateRule, editRule, type RuleAddress, takeFileVersion } from './edit-rule.ts'
import { explain } from './explain.ts'
import type { Members } from './members.ts'
import { endOverride, listOverrides, setOverride } from './overrides.ts'
import { programBodies, programBodyOf } from './program-bodies.ts'
import { programNotFound } from './program-changes.ts'
import { type InstalledProgram, listPrograms, programAsActivated } from './programs.ts'
import { makeRulebook } from './rulebook.ts'
import { alertsOfSubject, rulesOfSubject } from './subject-rules.ts'

export interface Alerting {
  /** Activates a program's rules. @throws Failure `rule-incomplete`, `owner-unreachable` */
  activate(by: By, program: Program): Promise<Activated>
  /** The same of a program that comes with Careloop, or is installed. @throws Failure `program-not-found` too */
  activateByCode(by: By, code: string): Promise<ProgramBody>
  programs(tenant: string): Promise<InstalledProgram[]>
  /** With reach, problems, and the programs that come with Careloop. */
  programBodies(by: By): Promise<ProgramBody[]>
  editRule(by: By, address: RuleAddress, edit: RuleEdit): Promise<RuleBodyOut>
  takeFileVersion(by: By, address: RuleAddress, wanted: TakeFile): Promise<RuleBodyOut>
  activateRule(by: By, address: RuleAddress): Promise<RuleBodyOut>
  deactivateRule(by: By, address: RuleAddress, reason: string): Promise<RuleBodyOut>
  setOverride(by: By, subject: string, wanted: NewOverride): Promise<OverrideBody>
  endOverride(by: By, subject: string, override: string): Promise<OverrideBody>
  overrides(by: By, subject: string): Promise<OverrideBody[]>
  rulesOf(by: By, subject: string): Promise<SubjectRules>
  /** Of many at once, with their own limits in them, past and future enrolments too; not audited: the caller says what it shows. */
  standingRules(tenant: string, subjects: readonly string[]): Promise<ReadonlyMap<string, readonly SubjectRule[]>>
  alertsOf(by: By, subject: string, span: SubjectAlertsQuery): Promise<SubjectAlerts>
  /** Why an alert exists; audited as a reading. @throws Failure `alert-not-found` */
  explain(by: By, alert: string): Promise<ExplainBody>
}

type RuleBodyOut = ProgramBody['rules'][number]

/**
 * @param members who works here: identity's
 * @param shipped programs that come with Careloop
 */
export function makeAlerting(
  engine: Engine,
  subjects: Pick<Subjects, 'names' | 'consents' | 'enrolmentsOf' | 'enrolmentsOfMany' | 'enrolmentsAt'>,
  members: Members,
  shipped: readonly Program[] = [],
): Alerting {
  const rulebook = makeRulebook(engine, subjects)
  const parts = { engine, subjects, members, rulebook, shipped }
  const shown = async (by: By, { program }: RuleAddress, id: string): Promise<RuleBodyOut> =>
    (await programBodyOf(parts, by, program)).rules.find((rule) => rule.id === id)!
  return {
    activate: (by, program) => activateProgram(engine, members, by, program),
    async activateByCode(by, code) {
      const found = shipped.find((each) => each.code === code) ?? (await programAsActivated(engine, by.tenant, code))
      if (found === null) throw programNotFound()
      await activateProgram(engine, members, by, found)
      return programBodyOf(parts, by, code)
    },
    programs: (tenant) => listPrograms(engine, tenant),
    programBodies: (by) => programBodies(parts, by),
    editRule: async (by, address, edit) => shown(by, address, await editRule(engine, members, by, address, edit)),
    takeFileVersion: async (by, address, wanted) =>
      shown(by, address, await takeFileVersion(engine, members, by, address, wanted)),
    activateRule: async (by, address) => shown(by, address, await activateRule(engine, members, by, address)),
    deactivateRule: async (by, address, reason) =>
      shown(by, address, await deactivateRule(engine, by, address, reason)),
    setOverride: (by, subject, wanted) => setOverride(parts, by, subject, wanted),
    endOverride: (by, subject, override) => endOverride(parts, by, subject, override),
    overrides: (by, subject) => listOverrides(parts, by, subject),
    rulesOf: (by, subject) => rulesOfSubject(parts, by, subject),
    standingRules: (tenant, ids) => rulebook.rulesOfMany(tenant, ids),
    alertsOf: (by, subject, span) => alertsOfSubject(parts, by, subject, span),
    explain: (by, alert) => explain(parts, by, alert),
  }
}
