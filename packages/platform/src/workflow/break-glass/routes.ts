/** Emergency access over HTTP. */
import { BreakGlass, BreakGlassAccess, BreakGlassList, BreakGlassSetting, Id } from '@careloop/contract'
import { z } from 'zod'
import { actorOf, defineRoute, type Route } from '../../identity/index.ts'
import { assertPerson } from '../assert-person.ts'
import type { BreakingGlass } from './break-glass.ts'

const ownAct = 'Emergency access is taken by a person.'

export const breakGlassRoutes = (glass: BreakingGlass): Route[] => [
  defineRoute({
    method: 'POST',
    url: '/api/v1/break-glass',
    summary: 'Emergency access to one patient, for some hours; the office and the care team are told at once',
    description:
      'Exactly one patient must have the identifier, or the whole name and the birth date. Every attempt is recorded, also one ' +
      'that finds nobody. Asked again while it stands, the same access is answered.',
    policy: { action: 'create', resource: 'break-glass' },
    stepUp: true,
    body: BreakGlass,
    maxBodyBytes: 8192,
    response: { 201: BreakGlassAccess },
    async handler(ctx) {
      const person = assertPerson(ctx.principal, ownAct)
      return ctx.reply(201, await glass.open(person, ctx.body, ctx.requestId))
    },
  }),
  defineRoute({
    method: 'GET',
    url: '/api/v1/break-glass',
    summary: 'Your emergency access that stands now, and how many hours one would stand',
    policy: { action: 'read', resource: 'break-glass' },
    response: { 200: BreakGlassList },
    handler: async (ctx) => ctx.reply(200, await glass.own(assertPerson(ctx.principal, ownAct))),
  }),
  defineRoute({
    method: 'DELETE',
    url: '/api/v1/break-glass/:id',
    summary: 'Give emergency access back before its time',
    policy: { action: 'delete', resource: 'break-glass' },
    params: z.object({ id: Id }),
    response: { 204: 'empty' },
    async handler(ctx) {
      await glass.end(assertPerson(ctx.principal, ownAct), ctx.params.id, ctx.requestId)
      return ctx.reply(204, undefined)
    },
  }),
  defineRoute({
    method: 'GET',
    url: '/api/v1/settings/break-glass',
    summary: 'How many hours emergency access stands',
    policy: { action: 'read', resource: 'review' },
    response: { 200: BreakGlassSetting },
    handler: async (ctx) => ctx.reply(200, await glass.setting(ctx.tenant)),
  }),
  defineRoute({
    method: 'PUT',
    url: '/api/v1/settings/break-glass',
    summary: 'Decide how many hours emergency access stands (1 to 12); what stands already keeps its end',
    policy: { action: 'update', resource: 'review' },
    stepUp: true,
    body: BreakGlassSetting,
    response: { 200: BreakGlassSetting },
    async handler(ctx) {
      const by = { actor: actorOf(ctx.principal), requestId: ctx.requestId }
      return ctx.reply(200, await glass.set(ctx.tenant, ctx.body, by))
    },
  }),
]
