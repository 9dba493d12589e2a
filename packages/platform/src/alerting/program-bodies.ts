/** Programs as pages show them: those that are installed, those that come with Careloop, and what is wrong with any of them. */
import type { ProgramBody, ProgramRule as RuleBodyOut, StaffRef } from '@careloop/contract'
import type { OwnedRule, Program } from '@careloop/rules'
import type { Engine } from '../engine/index.ts'
import { type By, type Subjects, seenOf, seesKind } from '../subjects/index.ts'
import { type Members, reachOf, reachProblem, type Staff } from './members.ts'
import { programNotFound } from './program-changes.ts'
import { type InstalledProgram, type InstalledRule, listPrograms, type RuleNote } from './programs.ts'
import { actorRef, programRef, ruleInWords, ruleRef, thresholdsOf } from './shown.ts'

export interface ProgramParts {
  readonly engine: Engine
  readonly subjects: Pick<Subjects, 'enrolmentsAt'>
  readonly members: Members
  /** Programs that come with Careloop. */
  readonly shipped: readonly Program[]
}

/** All programs, by code. @param by sight: of whose enrolments it may be told which they are */
export async function programBodies(
  { engine, subjects, members, shipped }: ProgramParts,
  by: By,
): Promise<ProgramBody[]> {
  const installed = await listPrograms(engine, by.tenant)
  const staff = await members(by.tenant)
  const enrolments = await subjects.enrolmentsAt(by.tenant, engine.clock.now())
  const working = new Set(staff.filter(({ endedAt }) => endedAt === null).map(({ id }) => id))
  const seen = await engine.db.asTenant(by.tenant, (tx) => {
    const ownerless = enrolments.filter(({ owner }) => !working.has(owner))
    return seenOf(
      tx,
      ownerless.map(({ subject }) => subject),
      by.sight,
    )
  })
  const bodies = installed.map((program): ProgramBody => {
    const ofProgram = enrolments.filter((each) => each.program === program.head.code)
    const ownerless = ofProgram.filter(({ owner }) => !working.has(owner))
    const mayKnow = seesKind(by.sight, program.head.subjectKind)
    const own = ownerless.filter(({ subject }) => seen.has(subject))
    const shown = mayKnow ? { ownerless: own.map(({ id, subject }) => ({ enrolment: id, subject })) } : {}
    return {
      ...programBody(program, staff),
      enrolled: ofProgram.length,
      ...(ownerless.length === 0 ? {} : { problem: ownerlessProblem(ownerless.length), ...shown }),
    }
  })
  const others = shipped.filter(({ code }) => !installed.some(({ head }) => head.code === code))
  return [...bodies, ...others.map((program) => availableBody(program, staff))].sort((a, b) =>
    a.code < b.code ? -1 : 1,
  )
}

const ownerlessProblem = (count: number): string =>
  `${count === 1 ? 'One open enrolment has' : `${count} open enrolments have`} an owner who no longer works here. Name another owner.`

/** @throws Failure `program-not-found` */
export async function programBodyOf(parts: ProgramParts, by: By, code: string): Promise<ProgramBody> {
  const found = (await programBodies(parts, by)).find((each) => each.code === code)
  if (found === undefined) throw programNotFound()
  return found
}

function programBody({ head, rules }: InstalledProgram, staff: Staff): ProgramBody {
  return {
    ...headBody(head),
    rules: rules.map((rule) => installedRule(rule, staff)),
    state: rules.some(({ active }) => active) ? 'active' : 'inactive',
  }
}

const headBody = (head: Omit<Program, 'rules'>) => ({
  ...programRef(head),
  ...{ use: head.use, notice: head.notice, subjectKind: head.subjectKind },
})

/** Of a program that was never activated here nothing has an id yet: its rules are known by their codes. */
const availableBody = (program: Program, staff: Staff): ProgramBody => ({
  ...headBody(program),
  rules: program.rules.map((rule) => ({
    ...ruleBody('00000000-0000-0000-0000-000000000000', 0, rule as OwnedRule, staff),
    state: 'inactive',
  })),
  state: 'available',
  enrolled: 0,
})

function installedRule({ id, version, active, definition, file, edited, switchedOff }: InstalledRule, staff: Staff) {
  return {
    ...ruleBody(id, version, definition, staff),
    state: active ? 'active' : 'inactive',
    ...(edited === null
      ? {}
      : { edited: { ...noted(edited, staff), ...(file === null ? {} : { fileSays: ruleInWords(file) }) } }),
    ...(switchedOff === null ? {} : { switchedOff: noted(switchedOff, staff) }),
  } satisfies RuleBodyOut
}

function noted({ at, actor, reason }: RuleNote, staff: Staff): { at: number; by: StaffRef; reason: string } {
  const names = new Map(staff.map((member) => [member.id, member.displayName]))
  return { at, by: actorRef(names, actor), reason: reason ?? '' }
}

function ruleBody(id: string, version: number, definition: OwnedRule, staff: Staff) {
  const reach = reachOf(staff, definition)
  const problem = reachProblem(reach, definition)
  const { body } = definition
  return {
    ...ruleRef(id, version, definition),
    ...{ priority: definition.priority, nature: definition.nature, why: definition.why, kind: body.kind, reach },
    ...{ checklist: [...definition.checklist], thresholds: thresholdsOf(definition) },
    ...holdOf(body),
    ...(problem === null ? {} : { problem }),
  }
}

function holdOf(body: OwnedRule['body']): { holdMs?: number } {
  if (body.kind === 'absence') return { holdMs: body.afterMs }
  return body.kind === 'threshold' && body.hold.forMs > 0 ? { holdMs: body.hold.forMs } : {}
}
