/** Who can be told, and by which ways. */
import type { NotificationBody } from '@careloop/contract'
import type { Subjects } from '../subjects/index.ts'
import type { Working } from './staff.ts'

export type Channel = NotificationBody['channel']

export interface Reachable extends Working {
  readonly email: string
}

export interface Ways {
  /** Staff of a tenant, those who left too. Identity's `members` is one. */
  readonly staff: (tenant: string) => Promise<readonly Reachable[]>
  /** Ways besides the pages: e-mail only when a mail server is configured. */
  readonly email: boolean
  /** Asks patients' consents before caregivers are told; left out: no caregiver is told anything. */
  readonly consents?: Pick<Subjects['consents'], 'telling'>
}

/** Whether a page can reach this person now by this way. An address that cannot be one is none. */
export const isReachable = (person: Reachable | undefined, channel: Channel): boolean =>
  person !== undefined && person.endedAt === null && (channel === 'in-app' || /^[^\s@]+@[^\s@]+$/.test(person.email))
