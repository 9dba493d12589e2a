/** The cold-chain board: every refrigerator and freezer with what it reads now, its band, and what is open about it. */
import { z } from 'zod'
import { AlertBody, Priority, ProgramRef, SubjectRef } from './alerting.ts'
import { Id, Instant } from './common.ts'

export const BoardProbe = z.object({
  device: Id,
  /** As staff know it, e.g. "Probe 12". */
  name: z.string(),
  signal: z.string(),
  /** Newest reading; absent = none ever. `fresh` false: it must not be shown as current. */
  last: z.object({ value: z.number(), measuredAt: Instant, freshForMs: z.number() }).optional(),
  state: z.enum(['fresh', 'stale', 'no-data']),
  batteryPercent: z.number().optional(),
  connected: z.boolean().nullable(),
  /** Last 24 h in at most 96 steps: [start, min, max, mean]; null = nothing measured. */
  trace: z.array(
    z.object({ at: Instant, min: z.number().nullable(), max: z.number().nullable(), mean: z.number().nullable() }),
  ),
})
export type BoardProbe = z.infer<typeof BoardProbe>

export const BoardUnit = z
  .object({
    subject: SubjectRef,
    site: z.string().nullable(),
    programs: z.array(ProgramRef),
    unit: z.string(),
    ucum: z.string(),
    /** What the band is of. Other temperatures of the unit (the air beside a buffered probe) are shown and not judged by it. */
    signal: z.string(),
    /** Allowed band by the rules that stand; null = open on that side. */
    band: z.object({ low: z.number().nullable(), high: z.number().nullable() }),
    probes: z.array(BoardProbe),
    /** Door contacts, each as it was last heard. `fresh` false: nobody knows whether it is open now. */
    doors: z.array(
      z.object({ device: Id, name: z.string(), open: z.boolean(), measuredAt: Instant, fresh: z.boolean() }),
    ),
    /** Open alerts, worst first. */
    alerts: z.array(
      z.object({
        alert: Id,
        task: Id.nullable(),
        priority: Priority,
        nature: AlertBody.shape.nature,
        title: z.string(),
        sentence: z.string(),
        /** The last time that it was raised: of one that came back, not the first. */
        since: Instant,
        /** Of one that came back: when it was raised first, and how often since. */
        firstRaisedAt: Instant.optional(),
        timesBack: z.int().optional(),
        condition: z.enum(['active', 'cleared']),
        handling: z.enum(['new', 'acknowledged', 'closed']),
        claimedBy: z.string().optional(),
      }),
    ),
    /** Out of the band now, by fresh readings. */
    outSince: Instant.nullable(),
  })
  .meta({ id: 'BoardUnit' })
export type BoardUnit = z.infer<typeof BoardUnit>

/** GET /api/v1/board: worst first, then by name. */
export const Board = z.object({ units: z.array(BoardUnit), at: Instant })
export type Board = z.infer<typeof Board>
