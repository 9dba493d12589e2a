/** What was set aside: list, count, look at, replay after a fix, dismiss. */
import { Id, QuarantineBytes, QuarantineCounts, QuarantinePage, quarantineReasons } from '@careloop/contract'
import { z } from 'zod'
import { defineRoute, type Route } from '../../identity/index.ts'
import { byOf } from '../../subjects/index.ts'
import { dismissReasons, type Quarantine, type QuarantineFilter } from '../quarantine/quarantine.ts'

const byId = z.object({ id: Id })

const ListQuery = z.object({
  status: z.enum(['held', 'replayed', 'dismissed']).default('held'),
  reason: z.enum(quarantineReasons).optional(),
  device: Id.optional(),
  before: Id.optional(),
  limit: z.coerce.number().int().min(1).max(200).default(50),
})

export const quarantineRoutes = (quarantine: Quarantine): Route[] => [
  defineRoute({
    method: 'GET',
    url: '/api/v1/quarantine',
    summary: 'Messages that could not be decoded, attributed or trusted, newest first',
    policy: { action: 'read', resource: 'quarantine' },
    query: ListQuery,
    response: { 200: QuarantinePage },
    async handler(ctx) {
      const items = await quarantine.list(byOf(ctx.principal, ctx.requestId), defined(ctx.query))
      return ctx.reply(200, { items: [...items], next: items.length === ctx.query.limit ? items.at(-1)!.id : null })
    },
  }),
  defineRoute({
    method: 'GET',
    url: '/api/v1/quarantine/counts',
    summary: 'How many messages are in quarantine, by reason and status',
    policy: { action: 'read', resource: 'quarantine' },
    response: { 200: QuarantineCounts },
    handler: async (ctx) => ctx.reply(200, { counts: [...(await quarantine.counts(ctx.tenant))] }),
  }),
  defineRoute({
    method: 'GET',
    url: '/api/v1/quarantine/:id/bytes',
    summary: 'The message as it came; of a patient out of sight how it is built, without a value',
    policy: { action: 'read', resource: 'quarantine' },
    params: byId,
    response: { 200: QuarantineBytes },
    async handler(ctx) {
      const { bytes, ...looked } = await quarantine.frame(byOf(ctx.principal, ctx.requestId), ctx.params.id)
      return ctx.reply(200, { ...looked, base64: bytes?.toString('base64') ?? null })
    },
  }),
  defineRoute({
    method: 'POST',
    url: '/api/v1/quarantine/:id/replay',
    summary: 'Take the message in now that its cause is mended; times stay those of the original',
    policy: { action: 'act', resource: 'quarantine' },
    params: byId,
    body: z.object({ takeImplausible: z.boolean().default(false) }),
    response: { 200: z.object({ readings: z.int() }) },
    handler: async (ctx) =>
      ctx.reply(200, await quarantine.replay(byOf(ctx.principal, ctx.requestId), ctx.params.id, ctx.body)),
  }),
  defineRoute({
    method: 'POST',
    url: '/api/v1/quarantine/:id/dismiss',
    summary: 'Let the message go, with a reason; its bytes stay until the quarantine period ends',
    policy: { action: 'act', resource: 'quarantine' },
    params: byId,
    body: z.object({ why: z.enum(dismissReasons) }),
    response: { 204: 'empty' },
    async handler(ctx) {
      await quarantine.dismiss(byOf(ctx.principal, ctx.requestId), ctx.params.id, ctx.body.why)
      return ctx.reply(204, undefined)
    },
  }),
]

function defined(query: z.output<typeof ListQuery>): QuarantineFilter {
  return Object.fromEntries(
    Object.entries(query).filter(([, value]) => value !== undefined),
  ) as unknown as QuarantineFilter
}
