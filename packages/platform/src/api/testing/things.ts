/** Routes of a room that does not exist: every kind of question and answer once. */
import { failures, Id } from '@careloop/contract'
import { z } from 'zod'
import { defineRoute, type Route } from '../../identity/index.ts'

const fail = failures({
  'thing-not-found': { disposition: 'reject', status: 404, issue: 'not-found' },
  'thing-busy': { disposition: 'retry', status: 503, issue: 'transient' },
})

export const seen: { signalAborted: boolean; chunksMade: number } = { signalAborted: false, chunksMade: 0 }

export const things: Route[] = [
  defineRoute({
    method: 'POST',
    url: '/api/v1/things/:id',
    summary: 'Asks for everything',
    policy: { action: 'update', resource: 'device' },
    params: z.object({ id: Id }),
    query: z.object({ max: z.coerce.number().int().max(100).default(10) }),
    body: z.strictObject({
      label: z.string().max(20),
      parts: z.array(z.object({ mg: z.number().positive() })).default([]),
    }),
    maxBodyBytes: 2_000,
    response: { 200: z.object({ id: Id, max: z.number(), label: z.string() }) },
    handler: (ctx) => {
      const answer = { id: ctx.params.id, max: ctx.query.max, label: ctx.body.label, secret: 'not declared' }
      return ctx.reply(200, answer, { headers: { etag: '"1"' } })
    },
  }),
  defineRoute({
    method: 'GET',
    url: '/api/v1/failing/:how',
    summary: 'Fails in the way it is asked',
    policy: 'public',
    params: z.object({ how: z.enum(['missing', 'busy', 'bug', 'wrong-answer']) }),
    response: { 200: z.object({ n: z.number() }) },
    handler: (ctx) => {
      if (ctx.params.how === 'missing')
        throw fail('thing-not-found', 'No such thing. Check the id.', { pointer: '/params/id' })
      if (ctx.params.how === 'busy') throw fail('thing-busy', 'Busy. Try again.', { retryAfterSeconds: 7 })
      if (ctx.params.how === 'bug') throw new Error('select * from patient where name = Canary Bird')
      return ctx.reply(200, { n: 'Canary Bird' as unknown as number })
    },
  }),
  defineRoute({
    method: 'POST',
    url: '/api/v1/device-door',
    summary: 'Bytes of a device',
    policy: 'device',
    bytes: { maxBytes: 1_000, maxInflatedBytes: 5_000, contentTypes: ['application/json', 'application/senml+json'] },
    response: { 202: z.object({ device: z.string(), bytes: z.number(), mediaType: z.string() }) },
    handler: (ctx) =>
      ctx.reply(202, { device: ctx.principal.device.name, bytes: ctx.bytes.length, mediaType: ctx.mediaType }),
  }),
  defineRoute({
    method: 'GET',
    url: '/api/v1/endless',
    summary: 'A stream without end',
    policy: 'public',
    response: { 200: { stream: 'text/plain' } },
    handler: (ctx) => {
      ctx.signal.addEventListener('abort', () => {
        seen.signalAborted = true
      })
      return ctx.stream(200, 'text/plain', endless())
    },
  }),
  defineRoute({
    method: 'POST',
    url: '/api/v1/rare',
    summary: 'Twice a minute',
    policy: 'public',
    perMinute: 2,
    response: { 204: 'empty' },
    handler: (ctx) => ctx.reply(204, undefined),
  }),
]

async function* endless(): AsyncGenerator<string> {
  for (;;) {
    seen.chunksMade += 1
    yield 'x'.repeat(10_000)
  }
}
