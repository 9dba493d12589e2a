/** Whom to offer as owner and backup of an enrolment: those with the role that the program's rules name first. */
import type { Colleague, ProgramBody } from '@careloop/contract'

export interface Choice {
  readonly value: string
  readonly label: string
}

export interface Choices {
  /** Who holds a role that the rules name. */
  readonly fitting: readonly Choice[]
  readonly others: readonly Choice[]
}

export function choicesFor(
  colleagues: readonly Colleague[],
  program: ProgramBody | undefined,
  as: 'ownerRole' | 'backupRole',
  except: string,
): Choices {
  const roles = new Set(program?.rules.map((rule) => rule[as]))
  const sorted = colleagues
    .filter(({ id }) => id !== except)
    .toSorted((a, b) => a.displayName.localeCompare(b.displayName))
  const choice = ({ id, displayName, roles }: Colleague): Choice => ({
    value: id,
    label: `${displayName}, ${roles.join(', ')}`,
  })
  const fits = (each: Colleague) => each.roles.some((role) => roles.has(role))
  return { fitting: sorted.filter(fits).map(choice), others: sorted.filter((each) => !fits(each)).map(choice) }
}

/** Programs that may be chosen: active, made for this kind of subject, and not open already. */
export const enrollable = (
  programs: readonly ProgramBody[],
  kind: string,
  open: ReadonlySet<string>,
): readonly ProgramBody[] =>
  programs.filter(({ code, state, subjectKind }) => state === 'active' && subjectKind === kind && !open.has(code))
