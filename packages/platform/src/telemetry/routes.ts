/** Readings of a subject over HTTP. Each look is recorded in the transaction that reads. */
import { DaysQuery, DevicesHeard, Id, LatestBody, MeasurementDays, SeriesBody, SeriesQuery } from '@careloop/contract'
import { z } from 'zod'
import { record } from '../audit/index.ts'
import type { Engine, EngineTx } from '../engine/index.ts'
import { actorOf, defineRoute, type PersonOrService, type Route } from '../identity/index.ts'
import { isSeen, purposed, sightOf } from '../subjects/index.ts'
import { fail } from './errors.ts'
import { devicesHeard } from './heard.ts'
import { latest } from './latest.ts'
import { readDays } from './read-days.ts'
import { readSeries } from './read-series.ts'

const byId = z.object({ id: Id })

export function telemetryRoutes(engine: Engine): Route[] {
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
        const answer = await readSeries(engine, question, lookedAt(ctx.principal, ctx.params.id, ctx.requestId))
        return ctx.reply(200, mutable(answer))
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
        const signals = await latest(engine, question, lookedAt(ctx.principal, ctx.params.id, ctx.requestId))
        return ctx.reply(200, mutable({ signals }))
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
        const days = await engine.db.asEngine(async (tx) => {
          await lookedAt(ctx.principal, subject, ctx.requestId)(tx)
          return tx.asTenant(ctx.tenant, (tenantTx) => readDays(tenantTx, { subject, ...ctx.query }))
        })
        return ctx.reply(200, { days })
      },
    }),
  ]
}

/** A subject that is not the tenant's is not there, and nothing is recorded of it. */
function lookedAt(principal: PersonOrService, subject: string, requestId: string) {
  return (tx: EngineTx): Promise<void> =>
    tx.asTenant(principal.tenant, async (tenantTx) => {
      const sight = sightOf(principal, 'read', 'series')
      if (!(await isSeen(tenantTx, subject, sight)))
        throw fail('series-not-found', 'No such subject here. Check the id.', { pointer: '/params/id' })
      const entry = { actor: actorOf(principal), action: 'read', resource: 'series', subject, requestId } as const
      await record(tenantTx, purposed(sight, entry))
    })
}

type Mutable<T> = T extends readonly (infer E)[]
  ? Mutable<E>[]
  : T extends object
    ? { -readonly [K in keyof T]: Mutable<T[K]> }
    : T

/** zod's types want arrays that may be changed; ours are read-only. Nothing is copied. */
const mutable = <T>(value: T): Mutable<T> => value as Mutable<T>
