/** How rules and programs are said: limits, holding time, who answers; and why somebody may only read them. */
import type { ProgramBody, ProgramRule } from '@careloop/contract'
import { shortLabel, spanText } from '../../parts/words.ts'
import { limitText } from '../subject/limits.ts'

export const stateWords = { active: 'Active', inactive: 'Switched off', available: 'Not activated yet' } as const

/** Without one said, a program is as its rules are. */
export const stateOf = ({ state, rules }: ProgramBody): NonNullable<ProgramBody['state']> =>
  state ?? (rules.some((rule) => rule.state === 'active') ? 'active' : 'inactive')

/** `Systolic ≥ 180 mmHg, Diastolic ≥ 120 mmHg; clears < 160 mmHg`; '' for rules that watch for silence. */
export function limitsText({ thresholds }: Pick<ProgramRule, 'thresholds'>): string {
  const signals = new Set(thresholds.map((each) => each.signal))
  const of = (role: 'raise' | 'clear') =>
    thresholds
      .filter((each) => each.role === role)
      .map((each) => `${signals.size > 1 ? `${shortLabel(each)} ` : ''}${limitText(each)}`)
      .join(', ')
  const clear = of('clear')
  return [of('raise'), clear === '' ? '' : `clears ${clear}`].filter((each) => each !== '').join('; ')
}

/** What must last before it is raised. */
export const holdText = ({ holdMs, kind }: Pick<ProgramRule, 'holdMs' | 'kind'>): string =>
  holdMs === undefined || holdMs === 0
    ? 'at once'
    : kind === 'absence'
      ? `after ${spanText(holdMs)} of silence`
      : `for ${spanText(holdMs)}`

/** `nurse (3 people), backup physician (nobody)` */
export function answerText({
  ownerRole,
  backupRole,
  reach,
}: Pick<ProgramRule, 'ownerRole' | 'backupRole' | 'reach'>): string {
  const count = (n: number | undefined) =>
    n === undefined ? '' : ` (${n === 0 ? 'nobody' : n === 1 ? '1 person' : `${n} people`})`
  return `${ownerRole}${count(reach?.owner)}, backup ${backupRole}${count(reach?.backup)}`
}

/** A program with a rule on vital signs: the sentence of the safety file is shown and confirmed when it is activated. */
export const needsVitalNotice = (
  program: ProgramBody,
  watches: (rule: { readonly nature: string }) => boolean,
): boolean => program.subjectKind === 'patient' && program.rules.some(watches)

/** Milliseconds as minutes in a field, `15` or `1.5`; empty for none. */
export const minutesText = (ms: number | undefined): string =>
  ms === undefined ? '' : String(Number((ms / 60_000).toFixed(2)))

/** @returns ms; NaN where no number of minutes stands */
export const msOf = (minutes: string): number =>
  /^\s*\d+([.,]\d+)?\s*$/.test(minutes) ? Math.round(Number(minutes.trim().replace(',', '.')) * 60_000) : Number.NaN
