/** Which places and things are on the board, by what rules, within what band. */
import type { DrawnThreshold, ProgramRef, SubjectKind } from '@careloop/contract'
import { type Alerting, programRef, thresholdsOf } from '../alerting/index.ts'
import type { Subjects } from '../subjects/index.ts'
import { type Band, bandOf, isTemperature } from './band.ts'

export interface Watched {
  readonly subject: string
  readonly programs: readonly ProgramRef[]
  /** Temperatures that its rules read; the band is of the first. */
  readonly signals: readonly string[]
  readonly band: Band
}

/** A person is on no board, whatever program somebody put them into. */
export const boardKinds: readonly SubjectKind[] = ['asset', 'location']

/** By subject: whatever is enrolled now in a program for things or places that has a rule on a temperature. */
export async function watchedUnits(
  alerting: Pick<Alerting, 'programs'>,
  subjects: Pick<Subjects, 'enrolmentsAt'>,
  tenant: string,
  now: number,
): Promise<ReadonlyMap<string, Watched>> {
  const limits = new Map<string, { program: ProgramRef; signals: readonly string[]; standing: DrawnThreshold[] }>()
  for (const { head, rules } of await alerting.programs(tenant)) {
    if (!boardKinds.includes(head.subjectKind)) continue
    const signals = rules.flatMap(({ definition }) => thresholdsOf(definition).map((limit) => limit.signal))
    const temperatures = [...new Set(signals.filter(isTemperature))]
    if (temperatures.length === 0) continue
    const standing = rules.filter(({ active }) => active).flatMap(({ definition }) => thresholdsOf(definition))
    limits.set(head.code, { program: programRef(head), signals: temperatures, standing })
  }
  const enrolments = await subjects.enrolmentsAt(tenant, now, [...limits.keys()])
  const bySubject = Map.groupBy(enrolments, (enrolment) => enrolment.subject)
  return new Map(
    [...bySubject].map(([subject, own]) => {
      const programs = own.map(({ program }) => limits.get(program)!)
      const signals = [...new Set(programs.flatMap((program) => program.signals))]
      const standing = programs.flatMap((program) => program.standing)
      return [
        subject,
        { subject, programs: programs.map(({ program }) => program), signals, band: bandOf(standing, signals[0]!) },
      ]
    }),
  )
}
