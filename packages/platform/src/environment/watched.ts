/** Which places and things are on the board, by what rules, within what band. */
import type { ProgramRef, SubjectKind } from '@careloop/contract'
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
  alerting: Pick<Alerting, 'programs' | 'standingRules'>,
  subjects: Pick<Subjects, 'enrolmentsAt'>,
  tenant: string,
  now: number,
): Promise<ReadonlyMap<string, Watched>> {
  const programs = new Map<string, { program: ProgramRef; signals: readonly string[] }>()
  for (const { head, rules } of await alerting.programs(tenant)) {
    if (!boardKinds.includes(head.subjectKind)) continue
    const signals = rules.flatMap(({ definition }) => thresholdsOf(definition).map((limit) => limit.signal))
    const temperatures = [...new Set(signals.filter(isTemperature))]
    if (temperatures.length > 0) programs.set(head.code, { program: programRef(head), signals: temperatures })
  }
  const enrolments = await subjects.enrolmentsAt(tenant, now, [...programs.keys()])
  const bySubject = Map.groupBy(enrolments, (enrolment) => enrolment.subject)
  const standing = await alerting.standingRules(tenant, [...bySubject.keys()])
  return new Map(
    [...bySubject].map(([subject, own]) => {
      const of = own.map(({ program }) => programs.get(program)!)
      const signals = [...new Set(of.flatMap((each) => each.signals))]
      const rules = (standing.get(subject) ?? []).filter(({ from, to }) => from <= now && (to === null || to > now))
      const limits = rules.flatMap(({ compiled }) => thresholdsOf(compiled))
      return [
        subject,
        { subject, programs: of.map(({ program }) => program), signals, band: bandOf(limits, signals[0]!) },
      ]
    }),
  )
}
