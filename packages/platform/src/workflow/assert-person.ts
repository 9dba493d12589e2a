import type { PersonOrService, StaffPrincipal } from '../identity/index.ts'
import { workflowFailure } from './errors.ts'

/** Some acts are a person's: a program cannot take responsibility. @throws Failure `staff-needed` */
export function assertPerson(principal: PersonOrService, why: string): StaffPrincipal {
  if (principal.kind === 'staff') return principal
  throw workflowFailure('staff-needed', `${why} Sign in as a member of staff.`)
}
