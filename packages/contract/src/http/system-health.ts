/** GET /api/v1/system/health: what an administrator looks at to know that the installation is looked after. No PHI, no secret. */
import { z } from 'zod'
import { Instant } from './common.ts'

export const SystemHealth = z
  .object({
    /** When things were last done: a base copy, a shipment, a drill. null = never. */
    facts: z.array(z.object({ what: z.string(), at: Instant.nullable(), detail: z.string().nullable() })),
    /** What must be mended, and how. Empty when all is well. */
    troubles: z.array(z.object({ what: z.string(), mend: z.string() })),
  })
  .meta({ id: 'SystemHealth' })
export type SystemHealth = z.infer<typeof SystemHealth>
