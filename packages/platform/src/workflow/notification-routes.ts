/** What a person was told, over HTTP. */
import { Id, NotificationList, NotificationsSeen } from '@careloop/contract'
import { z } from 'zod'
import { defineRoute, type PersonOrService, type Route } from '../identity/index.ts'
import { byOf } from '../subjects/index.ts'
import { workflowFailure } from './errors.ts'
import type { Workflow } from './workflow.ts'

export const notificationRoutes = (workflow: Workflow): Route[] => [
  defineRoute({
    method: 'GET',
    url: '/api/v1/notifications',
    summary: 'What you were told, newest first, and how much of it you have not seen',
    policy: { action: 'read', resource: 'notification' },
    response: { 200: NotificationList },
    handler: async (ctx) => ctx.reply(200, await listOf(workflow, ctx.principal, ctx.requestId)),
  }),
  defineRoute({
    method: 'POST',
    url: '/api/v1/notifications/seen',
    summary: 'You have seen these of your notifications',
    policy: { action: 'act', resource: 'notification' },
    body: NotificationsSeen,
    response: { 200: NotificationList },
    async handler(ctx) {
      await workflow.seen(ctx.tenant, person(ctx.principal), ctx.body.ids)
      return ctx.reply(200, await listOf(workflow, ctx.principal, ctx.requestId))
    },
  }),
  defineRoute({
    method: 'GET',
    url: '/api/v1/tasks/:id/notifications',
    summary: 'Whom a task was told to, by which way, and what became of it',
    policy: { action: 'read', resource: 'task' },
    params: z.object({ id: Id }),
    response: { 200: NotificationList },
    handler: async (ctx) =>
      ctx.reply(200, await workflow.taskNotifications(byOf(ctx.principal, ctx.requestId, 'task'), ctx.params.id)),
  }),
]

const listOf = (workflow: Workflow, principal: PersonOrService, requestId: string) =>
  principal.kind === 'staff' && principal.roles.includes('caregiver')
    ? workflow.caregiverNotifications(byOf(principal, requestId, 'alert'), principal.id)
    : workflow.notifications(principal.tenant, person(principal))

function person(principal: PersonOrService): string {
  if (principal.kind === 'staff') return principal.id
  throw workflowFailure('staff-needed', 'A person is notified, not a program. Sign in as a member of staff.')
}
