/** Compliance over HTTP. Questions that may hold an identifier are POSTs. */
import {
  AffectedPeople,
  AuditLines,
  AuditSearch,
  BreachDecision,
  BreachList,
  BreachStep,
  BreachView,
  Disclosures,
  Id,
  Lookers,
  NewBreach,
  UnusualAccessList,
  WatchedRecords,
  WatchRecord,
  WhoLooked,
} from '@careloop/contract'
import { z } from 'zod'
import { actorOf, defineRoute, type PersonOrService, type Route } from '../identity/index.ts'
import {
  affectedPeople,
  decideBreach,
  listBreaches,
  openBreach,
  readBreach,
  recomputeBreach,
  stepBreach,
} from './breaches.ts'
import type { ComplianceParts, Office } from './office.ts'
import { disclosuresOf, searchTrail, whoLooked } from './trail.ts'
import { listUnusual, listWatched, unwatchRecord, watchRecord } from './watched-records.ts'

export const complianceRoutes = (parts: ComplianceParts): Route[] => [
  ...trailRoutes(parts),
  ...unusualRoutes(parts),
  ...breachRoutes(parts),
]

const byId = z.object({ id: Id })
const readAudit = { action: 'read', resource: 'audit' } as const

const officeOf = (ctx: { readonly principal: PersonOrService; readonly requestId: string }): Office => ({
  ...{ tenant: ctx.principal.tenant, actor: actorOf(ctx.principal), requestId: ctx.requestId },
})

function trailRoutes(parts: ComplianceParts): Route[] {
  return [
    defineRoute({
      method: 'POST',
      url: '/api/v1/audit/search',
      summary: 'The audit trail, newest first: by record, person, action, request or time',
      policy: readAudit,
      body: AuditSearch,
      response: { 200: AuditLines },
      handler: async (ctx) => ctx.reply(200, await searchTrail(parts, officeOf(ctx), ctx.body)),
    }),
    defineRoute({
      method: 'POST',
      url: '/api/v1/audit/who-looked',
      summary: 'Everybody who came to one record, who came last first',
      policy: readAudit,
      body: WhoLooked,
      response: { 200: Lookers },
      handler: async (ctx) => ctx.reply(200, await whoLooked(parts, officeOf(ctx), ctx.body)),
    }),
    defineRoute({
      method: 'POST',
      url: '/api/v1/audit/disclosures',
      summary: 'What went outside of one record: the accounting of disclosures (45 CFR 164.528), six years back',
      policy: readAudit,
      body: WhoLooked,
      response: { 200: Disclosures },
      handler: async (ctx) => ctx.reply(200, await disclosuresOf(parts, officeOf(ctx), ctx.body)),
    }),
  ]
}

function unusualRoutes(parts: ComplianceParts): Route[] {
  return [
    defineRoute({
      method: 'GET',
      url: '/api/v1/audit/unusual',
      summary: 'Access that is unusual, newest day first, and until which day was looked',
      policy: readAudit,
      response: { 200: UnusualAccessList },
      handler: async (ctx) => ctx.reply(200, await listUnusual(parts, officeOf(ctx))),
    }),
    defineRoute({
      method: 'GET',
      url: '/api/v1/watched-records',
      summary: 'Records that are looked after more closely',
      policy: readAudit,
      response: { 200: WatchedRecords },
      handler: async (ctx) => ctx.reply(200, await listWatched(parts, officeOf(ctx))),
    }),
    defineRoute({
      method: 'POST',
      url: '/api/v1/watched-records',
      summary: 'Look after a record more closely: access by others than its care team is told',
      policy: { action: 'act', resource: 'audit' },
      body: WatchRecord,
      response: { 204: 'empty' },
      async handler(ctx) {
        await watchRecord(parts, officeOf(ctx), ctx.body)
        return ctx.reply(204, undefined)
      },
    }),
    defineRoute({
      method: 'DELETE',
      url: '/api/v1/watched-records/:id',
      summary: 'Look after a record as after any other again',
      policy: { action: 'act', resource: 'audit' },
      params: byId,
      response: { 204: 'empty' },
      async handler(ctx) {
        await unwatchRecord(parts, officeOf(ctx), ctx.params.id)
        return ctx.reply(204, undefined)
      },
    }),
  ]
}

function breachRoutes(parts: ComplianceParts): Route[] {
  const read = { action: 'read', resource: 'breach' } as const
  const act = { action: 'act', resource: 'breach' } as const
  return [
    defineRoute({
      method: 'GET',
      url: '/api/v1/breaches',
      summary: 'Breach assessments, newest first, with their clocks',
      policy: read,
      response: { 200: BreachList },
      handler: async (ctx) => ctx.reply(200, await listBreaches(parts, officeOf(ctx))),
    }),
    defineRoute({
      method: 'POST',
      url: '/api/v1/breaches',
      summary: 'Open a breach assessment: whom it affects is computed from the trail',
      policy: { action: 'create', resource: 'breach' },
      body: NewBreach,
      response: { 201: BreachView },
      handler: async (ctx) => ctx.reply(201, await openBreach(parts, officeOf(ctx), ctx.body)),
    }),
    defineRoute({
      method: 'GET',
      url: '/api/v1/breaches/:id',
      summary: 'One breach assessment',
      policy: read,
      params: byId,
      response: { 200: BreachView },
      handler: async (ctx) => ctx.reply(200, await readBreach(parts, officeOf(ctx), ctx.params.id)),
    }),
    defineRoute({
      method: 'GET',
      url: '/api/v1/breaches/:id/people',
      summary: 'Whom it affects, by opaque id',
      policy: read,
      stepUp: true,
      params: byId,
      query: z.object({ after: Id.optional() }),
      response: { 200: AffectedPeople },
      handler: async (ctx) =>
        ctx.reply(200, await affectedPeople(parts, officeOf(ctx), ctx.params.id, ctx.query.after)),
    }),
    defineRoute({
      method: 'POST',
      url: '/api/v1/breaches/:id/recompute',
      summary: 'Compute anew whom it affects',
      policy: act,
      params: byId,
      body: z.strictObject({ version: z.int() }),
      response: { 200: BreachView },
      handler: async (ctx) =>
        ctx.reply(200, await recomputeBreach(parts, officeOf(ctx), ctx.params.id, ctx.body.version)),
    }),
    defineRoute({
      method: 'POST',
      url: '/api/v1/breaches/:id/decide',
      summary: 'Decide by the four factors whether people must be told',
      policy: act,
      params: byId,
      body: BreachDecision,
      response: { 200: BreachView },
      handler: async (ctx) => ctx.reply(200, await decideBreach(parts, officeOf(ctx), ctx.params.id, ctx.body)),
    }),
    defineRoute({
      method: 'POST',
      url: '/api/v1/breaches/:id/steps',
      summary: 'Note that individuals, HHS or media were told, or close it',
      policy: act,
      params: byId,
      body: BreachStep,
      response: { 200: BreachView },
      handler: async (ctx) => ctx.reply(200, await stepBreach(parts, officeOf(ctx), ctx.params.id, ctx.body)),
    }),
  ]
}
