/** Who asks in compliance, whose record they mean, and how actors are named to them. */
import type { AboutWhom, AuditActor, Role } from '@careloop/contract'
import type { Engine } from '../engine/index.ts'
import type { By, Subjects } from '../subjects/index.ts'
import { complianceFailure } from './errors.ts'

/** What of a member of staff is shown beside what they did; also of those who have left. */
export interface Colleague {
  readonly id: string
  readonly displayName: string
  readonly roles: readonly Role[]
}

export interface ComplianceParts {
  readonly engine: Engine
  readonly subjects: Pick<Subjects, 'exactPatient' | 'names' | 'placesOf' | 'consents' | 'careTeams'>
  readonly staff: (tenant: string) => Promise<readonly Colleague[]>
}

export type Office = Pick<By, 'tenant' | 'actor' | 'requestId'>

/**
 * Whose record is meant. An identifier that nobody has and an id that is not there are one answer.
 * @throws Failure `record-not-found`
 */
export async function subjectAbout(
  { subjects }: ComplianceParts,
  { tenant }: Office,
  about: AboutWhom,
): Promise<string> {
  const found =
    'subject' in about
      ? ((await subjects.placesOf(tenant, [about.subject])).get(about.subject)?.id ?? null)
      : await subjects.exactPatient(tenant, { identifier: about.identifier })
  if (found !== null) return found
  throw complianceFailure('record-not-found', 'No record has exactly this. Check every letter and digit.', {
    pointer: '/body/about',
  })
}

/** @returns how to name an actor of the trail: staff by name and roles, anybody else by what they are */
export async function namesOfActors(
  { staff }: ComplianceParts,
  tenant: string,
): Promise<(actor: string) => AuditActor> {
  const known = new Map((await staff(tenant)).map((each) => [`staff:${each.id}`, each]))
  return (actor) => {
    const person = known.get(actor)
    return { actor, name: person?.displayName ?? null, roles: person === undefined ? [] : [...person.roles] }
  }
}
