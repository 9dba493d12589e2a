/** Shapes that many routes share: ids, instants, the one error body. */
import { z } from 'zod'

/** Opaque id, UUIDv7. */
export const Id = z.uuid()

/** Milliseconds since 1970-01-01T00:00:00Z. */
export const Instant = z.int().min(0).max(8_640_000_000_000_000)

/** FHIR R4 OperationOutcome as every refused request gets it. `expression` holds JSON pointers (RFC 6901). */
export const OperationOutcome = z
  .object({
    resourceType: z.literal('OperationOutcome'),
    issue: z
      .array(
        z.object({
          severity: z.enum(['fatal', 'error', 'warning', 'information']),
          /** FHIR issue type. */
          code: z.string(),
          /** What is wrong and what to do next. */
          diagnostics: z.string(),
          /** Where: `/body/name`, `/query/from`, `/params/id`; absent for the whole request. */
          expression: z.array(z.string()).optional(),
          details: z.object({ coding: z.array(z.object({ system: z.string(), code: z.string() })) }),
        }),
      )
      .min(1),
  })
  .meta({ id: 'OperationOutcome', description: 'Why the request was refused, and what to do next.' })
export type OperationOutcome = z.infer<typeof OperationOutcome>

/** Where our failure codes are explained: docs/errors.md. */
export const errorCodeSystem = 'https://careloop.dev/errors'
