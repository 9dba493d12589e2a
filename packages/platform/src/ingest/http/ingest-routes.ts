/** The HTTP door of devices, and measurements that people type. */
import { type Failure, ReceiptsBody, StoredBody, TypedReadings } from '@careloop/contract'
import { defineRoute, type Route } from '../../identity/index.ts'
import { assertSubject, audited, byOf } from '../../subjects/index.ts'
import type { Receipt } from '../door.ts'
import { ingestFailure } from '../errors.ts'
import { appendTyped } from '../typed-readings.ts'
import { type ForwardedParts, forwardedRoutes } from './forwarded-routes.ts'
import { framesOf } from './ingest-body.ts'
import { answerOf, assertTaking } from './receipts.ts'

const MAX_BODY = 1024 * 1024
const MAX_INFLATED = 8 * 1024 * 1024

export const ingestRoutes = (parts: ForwardedParts): Route[] => [
  defineRoute({
    method: 'POST',
    url: '/api/v1/ingest',
    summary:
      'Readings of the device whose token this is: one message or an array of messages, JSON or SenML, gzip if it likes',
    policy: 'device',
    bytes: {
      maxBytes: MAX_BODY,
      maxInflatedBytes: MAX_INFLATED,
      contentTypes: ['application/json', 'application/senml+json', 'application/octet-stream'],
    },
    response: { 202: ReceiptsBody },
    async handler(ctx) {
      assertTaking(ctx.engine)
      const frames = framesOf(ctx.bytes, ctx.mediaType, ctx.principal.device, ctx.engine.clock.now())
      const { receipts, kept, headers } = await answerOf(frames.map((frame) => parts.ingest.accept(frame)))
      const asideAll = kept.length === frames.length && kept.every((receipt) => receipt.outcome === 'quarantined')
      if (asideAll && kept[0]?.outcome === 'quarantined') throw setAsideFailure(kept[0])
      return ctx.reply(202, { receipts }, { headers })
    },
  }),
  defineRoute({
    method: 'POST',
    url: '/api/v1/readings',
    summary: 'A measurement that a person made and typed; kept with origin "typed"',
    policy: { action: 'create', resource: 'reading' },
    body: TypedReadings,
    response: { 201: StoredBody },
    async handler(ctx) {
      if (ctx.principal.kind === 'service')
        throw ingestFailure(
          'reading-staff-only',
          'Only a person types a measurement, with their own name on it. A program sends to /api/v1/ingest/batch.',
        )
      const by = byOf(ctx.principal, ctx.requestId, 'reading', 'create')
      let readings = 0
      await ctx.engine.db.asTenant(ctx.tenant, async (tx) => {
        await assertSubject(tx, ctx.body.subject, '/body/subject', by.sight)
        readings = appendTyped(ctx.engine, tx, ctx.body, ctx.principal.id)
        await audited(tx, by, 'create', 'reading', { subjects: [ctx.body.subject] })
      })
      return ctx.reply(201, { readings })
    },
  }),
  ...forwardedRoutes(parts),
]

/** Everything was set aside: it is kept, and the sender learns at once what is wrong. */
function setAsideFailure(receipt: Receipt & { outcome: 'quarantined' }): Failure {
  const first = receipt.quarantined[0]!
  return ingestFailure(
    'message-set-aside',
    `${first.message} The message is kept in quarantine (${first.reason}, ${first.id}): do not send it again.`,
    { pointer: first.pointer },
  )
}
