import { ApiError } from '../../api/client.ts'

/** Whether the pages may go on: everything else is refused until the second factor is there. */
export const isSecondFactorNeeded = (error: unknown): boolean =>
  error instanceof ApiError && error.code === 'second-factor-needed'
