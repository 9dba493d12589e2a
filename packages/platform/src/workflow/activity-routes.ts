/** What staff did for whom, over HTTP: each tells of their own. */
import { ActivityBody, ActivityList, ActivityQuery, CorrectActivity, Id, PutActivity } from '@careloop/contract'
import { z } from 'zod'
import { defineRoute, may, type PersonOrService, type Route } from '../identity/index.ts'
import { byOf, sightOf } from '../subjects/index.ts'
import type { Activities, Telling } from './activity.ts'
import { workflowFailure } from './errors.ts'

const byId = z.object({ id: Id })

export const activityRoutes = (activities: Activities): Route[] => [
  defineRoute({
    method: 'PUT',
    url: '/api/v1/activities/:id',
    summary: 'Begin, prolong or end one’s own activity',
    description:
      'The page makes the id and sends its entry every 20 s: a repeat changes nothing. `ended` makes it final; when nothing is ' +
      'heard for 5 minutes it ends by itself where it was last heard.',
    policy: { action: 'create', resource: 'activity' },
    params: byId,
    body: PutActivity,
    response: { 200: ActivityBody },
    handler: async (ctx) =>
      ctx.reply(200, await activities.put(telling(ctx.principal, ctx.requestId, 'create'), ctx.params.id, ctx.body)),
  }),
  defineRoute({
    method: 'POST',
    url: '/api/v1/activities/:id/correct',
    summary: 'Enter an activity anew; the old entry stays and stops counting',
    policy: { action: 'update', resource: 'activity' },
    params: byId,
    body: CorrectActivity,
    response: { 200: ActivityBody },
    handler: async (ctx) =>
      ctx.reply(
        200,
        await activities.correct(telling(ctx.principal, ctx.requestId, 'update'), ctx.params.id, ctx.body),
      ),
  }),
  defineRoute({
    method: 'GET',
    url: '/api/v1/subjects/:id/activities',
    summary: 'What staff did for a subject, newest first, with totals in which overlapping time counts once',
    policy: { action: 'read', resource: 'activity' },
    params: byId,
    query: ActivityQuery,
    response: { 200: ActivityList },
    handler: async (ctx) =>
      ctx.reply(200, await activities.list(byOf(ctx.principal, ctx.requestId, 'activity'), ctx.params.id, ctx.query)),
  }),
]

function telling(principal: PersonOrService, requestId: string, action: 'create' | 'update'): Telling {
  if (principal.kind !== 'staff')
    throw workflowFailure('staff-needed', 'Only a person tells what they did. Sign in as a member of staff.')
  const sight = sightOf(principal, action, 'activity')
  // Nobody takes an entry away; the right to is held by administrators only, and marks who may put right what others entered.
  const isAdministrator = may(principal, 'delete', 'activity')
  return { tenant: principal.tenant, staff: principal.id, requestId, sight, isAdministrator }
}
