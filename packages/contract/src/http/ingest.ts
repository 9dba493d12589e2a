/** HTTP bodies of ingest: receipts, readings typed by people, quarantine. The ingest body itself is read without a schema library. */
import { z } from 'zod'
import { Id, Instant } from './common.ts'

export const quarantineReasons = [
  'unknown-device',
  'wrong-device',
  'unassigned',
  'bad-frame',
  'unknown-signal',
  'unit-mismatch',
  'conflict',
  'implausible',
  'too-large',
  'not-allowed',
] as const

export const SetAsideBody = z
  .object({ id: Id, reason: z.enum(quarantineReasons), pointer: z.string(), message: z.string() })
  .meta({ id: 'SetAside', description: 'A part of a message that was kept in quarantine, and why.' })

export const ReceiptBody = z
  .object({
    /** `refused`: this one was not kept, others of the request were. Send it again. */
    outcome: z.enum(['stored', 'duplicate', 'quarantined', 'refused']),
    /** Position in the reading log, for `stored`. */
    position: z.int().optional(),
    readings: z.int().optional(),
    quarantined: z.array(SetAsideBody).optional(),
    /** For `refused`: send it again after so long. */
    retryAfterSeconds: z.int().optional(),
  })
  .meta({ id: 'Receipt', description: 'What became of one message. Given after it is durable.' })

export const ReceiptsBody = z.object({ receipts: z.array(ReceiptBody) }).meta({ id: 'Receipts' })

/** Messages of several devices, brought by a gateway. Beside `device` each is what that device would send itself. */
export const GatewayBatch = z
  .strictObject({
    messages: z
      .array(
        z.looseObject({
          device: z
            .string()
            .regex(/^[A-Za-z0-9._-]{1,64}$/, 'Use the name or id of the device.')
            .describe('Name or id of the device'),
        }),
      )
      .min(1)
      .max(1000),
  })
  .meta({ id: 'GatewayBatch' })
export type GatewayBatch = z.infer<typeof GatewayBatch>

/** Readings that a person measured and typed. `measuredAt` must not lie in the future. */
export const TypedReadings = z
  .object({
    subject: Id,
    measuredAt: Instant,
    values: z
      .array(z.object({ signal: z.string().max(64), value: z.number(), unit: z.string().max(32) }))
      .min(1)
      .max(20),
  })
  .meta({ id: 'TypedReadings', description: 'A measurement typed by a person. Kept with origin `typed`.' })

export const StoredBody = z.object({ readings: z.int() }).meta({ id: 'Stored' })

export const QuarantinedFrameBody = z
  .object({
    id: Id,
    device: Id.nullable(),
    reason: z.enum(quarantineReasons),
    pointer: z.string(),
    message: z.string(),
    door: z.string(),
    format: z.string(),
    receivedAt: Instant,
    bytes: z.int(),
    status: z.enum(['held', 'replayed', 'dismissed']),
    settledAt: Instant.nullable(),
    outcome: z.string().nullable(),
  })
  .meta({ id: 'QuarantinedFrame' })

export const QuarantinePage = z
  .object({ items: z.array(QuarantinedFrameBody), next: Id.nullable() })
  .meta({ id: 'QuarantinePage' })

export const QuarantineCounts = z
  .object({ counts: z.array(z.object({ reason: z.string(), status: z.string(), count: z.int() })) })
  .meta({ id: 'QuarantineCounts' })

/** One part of a message, by its place in it. `size`: members of an object or array, bytes of a text; null = not told. */
export const MessagePart = z.object({
  pointer: z.string(),
  type: z.enum(['object', 'array', 'text', 'number', 'boolean', 'null', 'bytes']),
  size: z.int().nullable(),
})
export type MessagePart = z.infer<typeof MessagePart>

export const QuarantineBytes = z
  .object({
    topic: z.string().optional(),
    format: z.string(),
    /** null = withheld. */
    base64: z.string().nullable(),
    /** Why it is withheld: a patient wears or wore the device, whom the reader does not see. Then `structure` tells how it is built. */
    withheld: z.string().optional(),
    structure: z.array(MessagePart).optional(),
  })
  .meta({
    id: 'QuarantineBytes',
    description: 'The message as it came; of a patient who is out of sight its structure only.',
  })

/** GET /api/v1/doors: where devices bring their messages, as this process listens. `host` 0.0.0.0 = every address of its machine. */
export const DoorList = z.object({
  mqtt: z.array(z.object({ door: z.enum(['mqtt', 'mqtts']), host: z.string(), port: z.int() })),
})
export type DoorList = z.infer<typeof DoorList>

/** GET /api/v1/profiles: the device models that Careloop can read. */
export const ProfileList = z.object({
  items: z.array(
    z.object({
      code: z.string(),
      name: z.string(),
      manufacturer: z.string().optional(),
      classification: z.enum(['wellness', 'operational', 'medical', 'cyber-device']),
      signals: z.array(z.object({ signal: z.string(), unit: z.string() })),
      /** What may come on the wire; the first is the default. */
      formats: z.array(z.enum(['json', 'senml', 'profile', 'form'])),
    }),
  ),
})
export type ProfileList = z.infer<typeof ProfileList>
