import { ApiError } from '../../api/client.ts'

/** Whether the pages may go on: everything else is refused until the second factor is there. */
export const isSecondFactorNeeded = (error: unknown): boolean =>
  error instanceof ApiError && error.code === 'second-factor-needed'

/** Somebody else made the password: everything else is refused until it is the person's own. */
export const isPasswordChangeNeeded = (error: unknown): boolean =>
  error instanceof ApiError && error.code === 'password-change-needed'
