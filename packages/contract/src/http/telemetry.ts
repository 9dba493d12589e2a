/** Readings over time, and what is known now, as HTTP gives them. */
import { z } from 'zod'
import { Id, Instant } from './common.ts'

/** A number, or what stands in its place: `absent` = the device gave none, `comparator` = known only to lie beyond `limit`. */
const ValueBody = z.union([
  z.number(),
  z.object({ absent: z.string() }),
  z.object({ comparator: z.enum(['<', '>']), limit: z.number() }),
])

export const SeriesReading = z
  .object({
    measuredAt: z.number(),
    value: ValueBody,
    ordinal: z.int(),
    storedAt: z.number().optional().meta({ description: 'When the log took it. Absent: within 10 s of measuredAt' }),
    deviceTime: z.number().optional().meta({ description: 'As the device said it, before correction' }),
    groupId: z.string().optional(),
    origin: z.enum(['automatic', 'typed', 'ehr']).optional().meta({ description: 'Absent = automatic' }),
    enteredBy: z.string().optional(),
    original: z.object({ value: z.number(), unit: z.string() }).optional(),
    flags: z.array(z.enum(['clock-in-future', 'clock-unset', 'implausible', 'historic'])).optional(),
  })
  .meta({ id: 'SeriesReading' })

export const SeriesBucket = z
  .object({
    start: z.number(),
    n: z.int(),
    min: z.number().nullable(),
    max: z.number().nullable(),
    mean: z.number().nullable(),
    absent: z.int(),
    below: z.int(),
    above: z.int(),
  })
  .meta({
    id: 'SeriesBucket',
    description: 'Readings of [start, start + widthMs). `below` and `above`: LOW and HIGH, in no min or max',
  })

export const SeriesGap = z
  .object({
    id: Id,
    series: z.int().nullable().meta({ description: 'null: Careloop itself did not hear, for all series' }),
    device: Id.nullable(),
    signal: z.string().nullable(),
    from: z.number(),
    to: z.number().nullable(),
    reason: z.enum(['no-data', 'offline', 'deaf']),
  })
  .meta({ id: 'SeriesGap' })

export const SeriesQuery = z.object({
  signal: z.string().max(64).optional(),
  from: z.coerce.number().pipe(Instant),
  to: z.coerce.number().pipe(Instant),
  maxPoints: z.coerce.number().pipe(z.int().min(1).max(100_000)).default(1_000),
})

export const SeriesBody = z
  .object({
    widthMs: z.number().nullable().meta({ description: 'Width of the buckets; null: every reading is given' }),
    series: z.array(
      z.object({
        id: z.int(),
        device: Id,
        signal: z.string(),
        assignment: Id.nullable(),
        unit: z.string().meta({ description: 'UCUM' }),
        readings: z.array(SeriesReading),
        buckets: z.array(SeriesBucket),
      }),
    ),
    gaps: z.array(SeriesGap),
  })
  .meta({ id: 'Series' })

export const LatestBody = z
  .object({
    signals: z.array(
      z.object({
        signal: z.string(),
        unit: z.string(),
        state: z.enum(['fresh', 'stale', 'no-data']),
        current: SeriesReading.nullable().meta({ description: 'To be shown as current; null unless fresh' }),
        last: SeriesReading,
        ageMs: z.number(),
        isTimeKnown: z
          .boolean()
          .meta({ description: 'False: the clock of the device was not set or ran ahead; ageMs may be anything' }),
        freshForMs: z.number().meta({ description: 'A fresh value older than this must not be shown as current' }),
        series: z.int(),
        device: Id,
        gap: SeriesGap.nullable(),
      }),
    ),
  })
  .meta({ id: 'Latest' })

/** GET /api/v1/heard?device: when devices last measured something that was stored. Devices that never did are not there. */
export const DevicesHeard = z.object({ items: z.array(z.object({ device: Id, measuredAt: Instant })) })
export type DevicesHeard = z.infer<typeof DevicesHeard>
