/** Erasing a person and legal holds over HTTP: by opaque ids, for administrators and compliance, who read no chart. */
import {
  ErasureDecision,
  ErasureState,
  ErasureView,
  Id,
  LegalHoldRelease,
  LegalHoldView,
  NewErasure,
  NewLegalHold,
} from '@careloop/contract'
import { z } from 'zod'
import { actorOf, defineRoute, type PersonOrService, type Route } from '../../identity/index.ts'
import type { By } from '../by.ts'
import type { Erasures } from './erasures.ts'

const byId = z.object({ id: Id })

/** Everything of the organisation, by opaque id: what is decided here is not held to whom somebody treats. */
const byOffice = ({ principal, requestId }: { principal: PersonOrService; requestId: string }): By => ({
  ...{ tenant: principal.tenant, actor: actorOf(principal), requestId },
})

export const erasureRoutes = (erasures: Erasures): Route[] => [
  defineRoute({
    method: 'GET',
    url: '/api/v1/erasures',
    summary: 'Proposed erasures and standing legal holds',
    tag: 'erasures',
    policy: { action: 'read', resource: 'erasure' },
    response: { 200: ErasureState },
    handler: async (ctx) => ctx.reply(200, await erasures.state(byOffice(ctx))),
  }),
  defineRoute({
    method: 'GET',
    url: '/api/v1/subjects/:id/erasure',
    summary: 'What stands about erasing one subject: proposals, legal holds, whether it was erased',
    tag: 'erasures',
    policy: { action: 'read', resource: 'erasure' },
    params: byId,
    response: { 200: ErasureState },
    handler: async (ctx) => ctx.reply(200, await erasures.state(byOffice(ctx), ctx.params.id)),
  }),
  defineRoute({
    method: 'POST',
    url: '/api/v1/subjects/:id/erasure',
    summary: 'Propose to erase a subject for ever; another person decides',
    tag: 'erasures',
    policy: { action: 'create', resource: 'erasure' },
    stepUp: true,
    params: byId,
    body: NewErasure,
    response: { 201: ErasureView },
    handler: async (ctx) => ctx.reply(201, await erasures.propose(byOffice(ctx), ctx.params.id, ctx.body)),
  }),
  defineRoute({
    method: 'POST',
    url: '/api/v1/erasures/:id/decide',
    summary: 'Approve, which erases at once and for ever, or refuse; never by who proposed it',
    tag: 'erasures',
    policy: { action: 'act', resource: 'erasure' },
    stepUp: true,
    params: byId,
    body: ErasureDecision,
    response: { 200: ErasureView },
    handler: async (ctx) => ctx.reply(200, await erasures.decide(byOffice(ctx), ctx.params.id, ctx.body.decision)),
  }),
  defineRoute({
    method: 'POST',
    url: '/api/v1/erasures/:id/withdraw',
    summary: 'Withdraw a proposal of one’s own',
    tag: 'erasures',
    policy: { action: 'create', resource: 'erasure' },
    params: byId,
    response: { 200: ErasureView },
    handler: async (ctx) => ctx.reply(200, await erasures.withdraw(byOffice(ctx), ctx.params.id)),
  }),
  defineRoute({
    method: 'POST',
    url: '/api/v1/subjects/:id/legal-holds',
    summary: 'Place a legal hold: nothing of the subject is erased or let go by age until it is released',
    tag: 'erasures',
    policy: { action: 'create', resource: 'legal-hold' },
    params: byId,
    body: NewLegalHold,
    response: { 201: LegalHoldView },
    handler: async (ctx) => ctx.reply(201, await erasures.placeHold(byOffice(ctx), ctx.params.id, ctx.body.reason)),
  }),
  defineRoute({
    method: 'POST',
    url: '/api/v1/legal-holds/:id/release',
    summary: 'Release a legal hold',
    tag: 'erasures',
    policy: { action: 'act', resource: 'legal-hold' },
    stepUp: true,
    params: byId,
    body: LegalHoldRelease,
    response: { 200: LegalHoldView },
    handler: async (ctx) => ctx.reply(200, await erasures.releaseHold(byOffice(ctx), ctx.params.id, ctx.body.reason)),
  }),
]
