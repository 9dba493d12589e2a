/** What may have become of a frame in quarantine, as the address says it. */
export const statuses = ['held', 'replayed', 'dismissed'] as const
export type QuarantineStatus = (typeof statuses)[number]
