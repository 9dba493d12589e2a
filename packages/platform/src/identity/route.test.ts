import { OperationOutcome } from '@careloop/contract'
import { expect, expectTypeOf, test } from 'vitest'
import { z } from 'zod'
import type { DevicePrincipal, PersonOrService } from './principal.ts'
import { defineRoute } from './route.ts'

test('identity > a route infers what its handler gets from its schemas and its policy', () => {
  const guarded = defineRoute({
    method: 'POST',
    url: '/api/v1/things/:id',
    summary: 'A thing',
    policy: { action: 'update', resource: 'device' },
    params: z.object({ id: z.uuid() }),
    query: z.object({ max: z.coerce.number().default(10) }),
    body: z.object({ label: z.string() }),
    response: { 200: z.object({ id: z.string() }), 404: OperationOutcome, 204: 'empty' },
    async handler(ctx) {
      expectTypeOf(ctx.principal).toEqualTypeOf<PersonOrService>()
      expectTypeOf(ctx.tenant).toEqualTypeOf<string>()
      expectTypeOf(ctx.query.max).toEqualTypeOf<number>()
      expectTypeOf(ctx.body.label).toEqualTypeOf<string>()
      // @ts-expect-error an answer of another shape is refused
      if (ctx.query.max > 5) return ctx.reply(200, { id: 5 })
      // @ts-expect-error an answer that was not declared is refused
      if (ctx.query.max > 4) return ctx.reply(500, { id: '5' })
      if (ctx.query.max > 3) return ctx.reply(204, undefined)
      return ctx.reply(200, { id: ctx.params.id })
    },
  })
  const device = defineRoute({
    method: 'POST',
    url: '/api/v1/ingest',
    summary: 'Readings',
    policy: 'device',
    bytes: { maxBytes: 10, maxInflatedBytes: 20, contentTypes: ['*'] },
    response: { 202: z.object({ n: z.number() }) },
    handler(ctx) {
      expectTypeOf(ctx.principal).toEqualTypeOf<DevicePrincipal>()
      expectTypeOf(ctx.body).toEqualTypeOf<undefined>()
      return ctx.reply(202, { n: ctx.bytes.length })
    },
  })
  expect([guarded, device].map((route) => route.policy)).toEqual([{ action: 'update', resource: 'device' }, 'device'])
})
