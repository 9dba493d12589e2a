/** Readings of a subject over HTTP. Each look is recorded in the transaction that reads. */
import { DaysQuery, DevicesHeard, Id, LatestBody, MeasurementDays, SeriesBody, SeriesQuery } from '@careloop/contract'
import { z } from 'zod'
import type { Engine } from '../engine/index.ts'
import { defineRoute, type Route } from '../identity/index.ts'
import { byOf, type Subjects } from '../subjects/index.ts'
import { devicesHeard } from './heard.ts'
import { latest } from './latest.ts'
import { look } from './looking.ts'
import { readDays } from './read-days.ts'
import { readSeries } from './read-series.ts'

const byId = z.object({ id: Id })

/** Of no class: only a consent for all of them covers it. */
const anySignal = '*'

export function telemetryRoutes(engine: Engine, { consents }: Pick<Subjects, 'consents'>): Route[] {
  return [
    defineRoute({
      method: 'GET',
      url: '/api/v1/subjects/:id/series',
      summary: 'Readings of a subject over a span, with gaps',
      description:
        'Every reading when there are at most maxPoints, else buckets that keep the least and the greatest value. Times are ms since 1970-01-01Z.',
      policy: { action: 'read', resource: 'series' },
      params: byId,
      query: SeriesQuery,
      response: { 200: SeriesBody },
      unfiltered: true,
      async handler(ctx) {
        const { signal, from, to, maxPoints } = ctx.query
        const question = { tenant: ctx.tenant, subject: ctx.params.id, signal, from, to, maxPoints }
        const asked = { subject: ctx.params.id, signal }
        const { answer, headers } = await look(
          consents,
          byOf(ctx.principal, ctx.requestId, 'series'),
          asked,
          (alongside) => readSeries(engine, question, alongside),
        )
        return ctx.reply(200, mutable(answer), { headers })
      },
    }),
    defineRoute({
      method: 'GET',
      url: '/api/v1/subjects/:id/latest',
      summary: 'The newest reading of each signal, its age, and whether it may be taken as current',
      policy: { action: 'read', resource: 'series' },
      params: byId,
      response: { 200: LatestBody },
      async handler(ctx) {
        const question = { tenant: ctx.tenant, subject: ctx.params.id, now: engine.clock.now() }
        const by = byOf(ctx.principal, ctx.requestId, 'series')
        const { answer, headers } = await look(consents, by, { subject: ctx.params.id }, (alongside) =>
          latest(engine, question, alongside),
        )
        return ctx.reply(200, mutable({ signals: answer }), { headers })
      },
    }),
    defineRoute({
      method: 'GET',
      url: '/api/v1/heard',
      summary: 'When each device last measured something that was stored; no values',
      policy: { action: 'read', resource: 'device' },
      query: z.strictObject({ device: Id.optional() }),
      response: { 200: DevicesHeard },
      handler: async (ctx) =>
        ctx.reply(200, { items: await devicesHeard(engine.db, { tenant: ctx.tenant, device: ctx.query.device }) }),
    }),
    defineRoute({
      method: 'GET',
      url: '/api/v1/subjects/:id/days',
      summary: 'Civil days on which something was measured of a patient, by device and origin',
      description: 'A date is that of the zone in which the patient lived then. Both dates are included.',
      policy: { action: 'read', resource: 'series' },
      params: byId,
      query: DaysQuery,
      response: { 200: MeasurementDays },
      async handler(ctx) {
        const { id: subject } = ctx.params
        const by = byOf(ctx.principal, ctx.requestId, 'series')
        // A day does not say what was measured on it: who may not see all of it sees none.
        const { answer, headers } = await look(consents, by, { subject, signal: anySignal }, (alongside) =>
          engine.db.asEngine(async (tx) => {
            await alongside(tx)
            return tx.asTenant(ctx.tenant, (tenantTx) => readDays(tenantTx, { subject, ...ctx.query }))
          }),
        )
        return ctx.reply(200, { days: answer }, { headers })
      },
    }),
  ]
}

type Mutable<T> = T extends readonly (infer E)[]
  ? Mutable<E>[]
  : T extends object
    ? { -readonly [K in keyof T]: Mutable<T[K]> }
    : T

/** zod's types want arrays that may be changed; ours are read-only. Nothing is copied. */
const mutable = <T>(value: T): Mutable<T> => value as Mutable<T>
