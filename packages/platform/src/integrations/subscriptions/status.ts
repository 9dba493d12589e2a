/** The life of a subscription: asked for, shaken hands, active; in error when its endpoint is not there; off. Pure. */

export const statuses = ['requested', 'active', 'error', 'off'] as const
export type Status = (typeof statuses)[number]

/**
 * What a client's write makes of the status. Only the server says `active` and `error`: a client that sends back what it read keeps
 * what is, one that changed where or how it is told shakes hands again.
 * @param was null = it is new
 * @param changed endpoint, headers or payload are others than before
 * @returns null when it may not be asked for
 */
export function askedStatus(asked: Status, was: Status | null, changed: boolean): Status | null {
  if (asked === 'off' || asked === 'requested') return asked
  if (was === null || was === 'off') return asked === 'active' ? 'requested' : null
  if (asked === 'error') return was === 'error' ? (changed ? 'requested' : 'error') : null
  return was === 'active' && !changed ? 'active' : 'requested'
}

/** Whether events are kept for it: also while its endpoint is away, for `$events`. */
export const keepsEvents = (status: Status): boolean => status === 'active' || status === 'error'
