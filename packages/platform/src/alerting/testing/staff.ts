import { roles } from '@careloop/contract'
import type { Members } from '../members.ts'

/** A house in which one person has every role: for tests in which a program must be active and whom it reaches is not asked. */
export const everyRole: Members = async () => [
  { id: 'everybody', displayName: 'Evie Everybody', roles: [...roles], endedAt: null },
]
