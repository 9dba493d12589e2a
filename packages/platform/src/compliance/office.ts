/** Who asks in compliance, whose record they mean, and how actors are named to them. */
import type { AboutWhom, AuditActor, Role } from '@careloop/contract'
import { failedSearches, record, sealDetail } from '../audit/index.ts'
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
 * @throws Failure `record-not-found`, `too-many-misses`
 */
export async function subjectAbout(parts: ComplianceParts, office: Office, about: AboutWhom): Promise<string> {
  const { subjects } = parts
  const { tenant } = office
  await assertFewMisses(parts, office)
  const found =
    'subject' in about
      ? ((await subjects.placesOf(tenant, [about.subject])).get(about.subject)?.id ?? null)
      : await subjects.exactPatient(tenant, { identifier: about.identifier })
  if (found !== null) return found
  await recordMiss(parts, office, about)
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

/** Misses an hour after which everything waits: who looks somebody up has the number at hand. */
export const missesAnHour = 20
const hourMs = 3_600_000

/** Before anything is looked up, so that a hit is not told from a miss by being let through. @throws Failure `too-many-misses` */
async function assertFewMisses({ engine }: ComplianceParts, { tenant, actor }: Office): Promise<void> {
  const misses = await engine.db.asTenant(tenant, (tx) => failedSearches(tx, actor, hourMs))
  if (misses < missesAnHour) return
  throw complianceFailure(
    'too-many-misses',
    'Too many numbers that nobody has. Wait an hour, or ask admission for the number.',
    {
      retryAfterSeconds: hourMs / 1000,
    },
  )
}

/** Asking after numbers that nobody has is a way to find out who is a patient: each miss stands in the trail, with the question sealed. */
async function recordMiss(
  { engine }: ComplianceParts,
  { tenant, actor, requestId }: Office,
  about: AboutWhom,
): Promise<void> {
  const key = await engine.keys.keyFor('tenant', tenant)
  await engine.db.asTenant(tenant, (tx) => {
    const detail = sealDetail(tx, key, { about })
    return record(tx, {
      actor,
      requestId,
      action: 'search',
      outcome: 'failed',
      resource: 'audit',
      purpose: 'HOPERAT',
      detail,
    })
  })
}
