/**
 * What 42 CFR Part 2 reaches: programs with its label, and what is inferred from them. Programs belong to a later room; it says here
 * which bear the label and which signals they read.
 */
import type { Part2Label } from '@careloop/contract'
import type { RowReader, TenantTx } from '../../engine/index.ts'
import { labelsOfPart2 } from './who.ts'

export interface ProgramSignals {
  readonly code: string
  readonly part2: boolean
  /** Signals that its rules read. */
  readonly signals: ReadonlySet<string>
}

export type ProgramsOf = (tenant: string) => Promise<readonly ProgramSignals[]>
export type ProgramsWithin = RowReader<null, readonly ProgramSignals[]>

/** The label as it lies on one patient's things. */
export interface Labelling {
  /** Programs under Part 2 that the patient is or was in. */
  readonly programs: readonly string[]
  ofProgram(code: string): readonly Part2Label[]
  ofSignal(code: string): readonly Part2Label[]
  /** Labelled programs of this patient that read the signal, where it bears their label. */
  readersOf(code: string): readonly string[]
}

const none: readonly Part2Label[] = []

/**
 * A signal bears the label when a labelled program of this patient reads it and none without a label does: a blood pressure that is
 * also of the hypertension clinic is no secret of the clinic for substance use. A past enrolment keeps its label.
 */
export async function labellingOf(
  tx: TenantTx,
  subject: string,
  programs: readonly ProgramSignals[],
): Promise<Labelling> {
  const isPart2 = new Set(programs.filter(({ part2 }) => part2).map(({ code }) => code))
  if (isPart2.size === 0) return { programs: [], ofProgram: () => none, ofSignal: () => none, readersOf: () => [] }
  const { rows } = await tx.client.query<{ program: string }>(
    'select distinct program from tenant.enrolment where tenant_id = $1 and subject_id = $2',
    [tx.tenant, subject],
  )
  const own = programs.filter(({ code }) => rows.some(({ program }) => program === code))
  const signals = (part2: boolean) =>
    new Set(own.filter((program) => program.part2 === part2).flatMap((program) => [...program.signals]))
  const [labelled, open] = [signals(true), signals(false)]
  const isLabelled = (code: string) => labelled.has(code) && !open.has(code)
  return {
    programs: own.filter(({ part2 }) => part2).map(({ code }) => code),
    ofProgram: (code) => (isPart2.has(code) ? labelsOfPart2 : none),
    ofSignal: (code) => (isLabelled(code) ? labelsOfPart2 : none),
    readersOf: (code) =>
      isLabelled(code) ? own.filter((each) => each.part2 && each.signals.has(code)).map((each) => each.code) : [],
  }
}
