/** Emergency access to one patient outside one's care teams: with a reason, for a while, told at once, reviewed afterwards. */
import { z } from 'zod'
import { Id, Instant } from './common.ts'

export const BreakGlassReason = z.enum(['emergency', 'covering', 'unconscious', 'other'])
export type BreakGlassReason = z.infer<typeof BreakGlassReason>

/**
 * POST /api/v1/break-glass. Exactly one patient must have the identifier (of any numbering system, unless one is named), or the whole name and the birth date: nothing is
 * listed, completed or guessed.
 */
export const BreakGlass = z.strictObject({
  patient: z.union([
    z.strictObject({
      identifier: z.strictObject({ system: z.string().min(1).max(500).optional(), value: z.string().min(1).max(200) }),
    }),
    z.strictObject({ name: z.string().trim().min(2).max(200), birthDate: z.iso.date() }),
  ]),
  reason: BreakGlassReason,
  /** What is the matter, for who reviews it. */
  words: z.string().trim().min(10, 'Say in a sentence what is the matter.').max(1000),
})
export type BreakGlass = z.infer<typeof BreakGlass>

export const BreakGlassAccess = z
  .object({ id: Id, subject: Id, reason: BreakGlassReason, openedAt: Instant, untilAt: Instant })
  .meta({ id: 'BreakGlassAccess' })
export type BreakGlassAccess = z.infer<typeof BreakGlassAccess>

/** GET /api/v1/break-glass: one's own that stand now. */
export const BreakGlassList = z.object({ items: z.array(BreakGlassAccess), hours: z.int() })
export type BreakGlassList = z.infer<typeof BreakGlassList>

/** GET and PUT /api/v1/settings/break-glass */
export const BreakGlassSetting = z
  .strictObject({ hours: z.int().min(1).max(12), version: z.int().min(0) })
  .meta({ id: 'BreakGlassSetting' })
export type BreakGlassSetting = z.infer<typeof BreakGlassSetting>
