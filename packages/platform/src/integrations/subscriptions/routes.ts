/** Subscriptions over HTTP: operations of the backport guide beside the resource, and their health for the pages. */
import { SubscriptionHealth, SubscriptionList } from '@careloop/contract'
import { type FhirTree, writeFhir } from '@careloop/fhir'
import { z } from 'zod'
import { fhirBase } from '../../clinical/index.ts'
import { actorOf, defineRoute, type PersonOrService, type Replied, type Route } from '../../identity/index.ts'
import type { By } from '../../subjects/index.ts'
import { contents } from './read-subscription.ts'
import { notFound, type Subscriptions, statusBundle } from './subscriptions.ts'

const fhirJson = 'application/fhir+json; charset=utf-8'
const answers = { 200: { stream: 'application/fhir+json' } } as const
const tag = 'fhir'

const byOf = ({ principal, requestId }: { principal: PersonOrService; requestId: string }): By => ({
  ...{ tenant: principal.tenant, actor: actorOf(principal), who: principal, requestId },
})

/** Several values: said once with commas, or several times. */
const Several = z
  .union([z.string(), z.array(z.string())])
  .transform((value) => [value].flat().flatMap((each) => each.split(',')))
/** Event numbers are 64 bits wide. */
const EventNumber = z
  .string()
  .regex(/^\d{1,18}$/, 'A number of an event is expected.')
  .transform((text) => BigInt(text))

export const subscriptionRoutes = (subscriptions: Subscriptions): Route[] => [
  ...healthRoutes(subscriptions),
  ...operationRoutes(subscriptions),
]

function healthRoutes(subscriptions: Subscriptions): Route[] {
  return [
    defineRoute({
      method: 'GET',
      url: '/api/v1/subscriptions',
      summary: 'Who is told what outside, and whether it arrives',
      policy: { action: 'read', resource: 'system' },
      response: { 200: SubscriptionList },
      handler: async (ctx) => ctx.reply(200, { items: await subscriptions.list(byOf(ctx)) }),
    }),
    defineRoute({
      method: 'POST',
      url: '/api/v1/subscriptions/:id/retry',
      summary: 'Try again now what its endpoint did not take; one in error shakes hands first',
      policy: { action: 'update', resource: 'system' },
      // 128 bits of an HMAC: no version stands in them.
      params: z.object({ id: z.guid() }),
      response: { 200: SubscriptionHealth },
      handler: async (ctx) => ctx.reply(200, await subscriptions.retry(byOf(ctx), ctx.params.id)),
    }),
  ]
}

type Sending = {
  send(status: 200, mediaType: string, bytes: string, options?: { headers: Readonly<Record<string, string>> }): Replied
}
const sendTree = (ctx: Sending, tree: FhirTree, headers: Readonly<Record<string, string>> = {}): Replied =>
  ctx.send(200, fhirJson, writeFhir(tree), { headers })

function operationRoutes(subscriptions: Subscriptions): Route[] {
  const shared = { method: 'GET', tag, policy: 'fhir', response: answers } as const
  return [
    defineRoute({
      ...{ ...shared, url: `${fhirBase}/Subscription/$status` },
      summary: 'Status of subscriptions',
      query: z.object({ id: Several.optional(), status: Several.optional() }),
      async handler(ctx) {
        const { id: fhirIds, status: statuses } = ctx.query
        const found = await subscriptions.status(byOf(ctx), {
          ...(fhirIds === undefined ? {} : { fhirIds }),
          ...(statuses === undefined ? {} : { statuses }),
        })
        return sendTree(ctx, statusBundle(found, ctx.engine.clock.now()))
      },
    }),
    defineRoute({
      ...{ ...shared, url: `${fhirBase}/Subscription/:id/$status` },
      summary: 'Status of a subscription',
      params: z.object({ id: z.string() }),
      async handler(ctx) {
        const found = await subscriptions.status(byOf(ctx), { fhirIds: [ctx.params.id] })
        if (found.length === 0) throw notFound()
        return sendTree(ctx, statusBundle(found, ctx.engine.clock.now()))
      },
    }),
    defineRoute({
      ...{ ...shared, url: `${fhirBase}/Subscription/:id/$events` },
      summary: 'Events of a subscription again, between two numbers: for who was away',
      params: z.object({ id: z.string() }),
      query: z.object({
        ...{ eventsSinceNumber: EventNumber.optional(), eventsUntilNumber: EventNumber.optional() },
        content: z.enum(contents).optional(),
      }),
      async handler(ctx) {
        const { eventsSinceNumber: since, eventsUntilNumber: until, content } = ctx.query
        const { bundle, headers } = await subscriptions.events(byOf(ctx), ctx.params.id, {
          ...(since === undefined ? {} : { since }),
          ...(until === undefined ? {} : { until }),
          ...(content === undefined ? {} : { content }),
        })
        return sendTree(ctx, bundle, headers)
      },
    }),
  ]
}
