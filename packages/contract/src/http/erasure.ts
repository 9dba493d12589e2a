/** Requests and answers about erasing a person, and about legal holds. By opaque ids: who decides reads no chart. */
import { z } from 'zod'
import { Id, Instant } from './common.ts'

export const ErasureBasis = z.enum(['request', 'consent-withdrawn', 'retention-ended', 'made-in-error', 'order'])
export type ErasureBasis = z.infer<typeof ErasureBasis>

const reason = z.string().trim().min(3).max(2000)

export const NewErasure = z.strictObject({
  basis: ErasureBasis,
  reason: reason.describe('Sealed; goes with the record'),
})
export type NewErasure = z.infer<typeof NewErasure>

export const ErasureDecision = z.strictObject({ decision: z.enum(['approve', 'refuse']) })
export type ErasureDecision = z.infer<typeof ErasureDecision>

export const ErasureView = z.strictObject({
  id: Id,
  subject: Id,
  kind: z.enum(['patient', 'asset', 'location']),
  status: z.enum(['proposed', 'executed', 'refused', 'withdrawn']),
  basis: ErasureBasis,
  reason: z.string().optional().describe('Absent once the record is erased'),
  proposedBy: z.string().describe('Actor, e.g. staff:<id>'),
  proposedAt: Instant,
  decidedBy: z.string().optional(),
  decidedAt: Instant.optional(),
})
export type ErasureView = z.infer<typeof ErasureView>

export const NewLegalHold = z.strictObject({ reason: reason.describe('Sealed') })
export type NewLegalHold = z.infer<typeof NewLegalHold>

export const LegalHoldRelease = z.strictObject({ reason: reason.describe('Sealed') })
export type LegalHoldRelease = z.infer<typeof LegalHoldRelease>

export const LegalHoldView = z.strictObject({
  id: Id,
  subject: Id,
  reason: z.string().optional().describe('Absent once the record is erased'),
  placedBy: z.string(),
  placedAt: Instant,
  releasedBy: z.string().optional(),
  releasedAt: Instant.optional(),
  releaseReason: z.string().optional(),
})
export type LegalHoldView = z.infer<typeof LegalHoldView>

/** What stands about erasing one subject, or (without one) what is open. */
export const ErasureState = z.strictObject({
  erasures: z.array(ErasureView),
  holds: z.array(LegalHoldView),
  erasedAt: Instant.nullable().optional().describe('Of the subject that was asked for'),
})
export type ErasureState = z.infer<typeof ErasureState>
