/** The worklist and tasks over HTTP. Acts are a person's: a program cannot take responsibility. */
import {
  ClaimTask,
  CompleteTask,
  errorCodeSystem,
  HandOffTask,
  Id,
  SeenTask,
  SnoozeTask,
  TaskBody,
  TaskTaken,
  Worklist,
} from '@careloop/contract'
import { z } from 'zod'
import { type Context, defineRoute, type Replied, type Route } from '../identity/index.ts'
import { byOf, sightOf } from '../subjects/index.ts'
import { activityRoutes } from './activity-routes.ts'
import { breakGlassRoutes } from './break-glass/routes.ts'
import { workflowFailure } from './errors.ts'
import { notificationRoutes } from './notification-routes.ts'
import { reviewRoutes } from './reviews/routes.ts'
import type { Act, Acting } from './task-rows.ts'
import type { Workflow } from './workflow.ts'

const byId = z.object({ id: Id })
const policy = { action: 'act', resource: 'task' } as const
const response = { 200: TaskBody, 409: TaskTaken } as const

export const workflowRoutes = (workflow: Workflow): Route[] => [
  defineRoute({
    method: 'GET',
    url: '/api/v1/worklist',
    summary: 'What needs somebody: open and claimed tasks, overdue first',
    policy: { action: 'read', resource: 'task' },
    response: { 200: Worklist },
    handler: async (ctx) => ctx.reply(200, await workflow.worklist(byOf(ctx.principal, ctx.requestId, 'task'))),
  }),
  defineRoute({
    method: 'GET',
    url: '/api/v1/tasks/:id',
    summary: 'One task with its rule, checklist and what was done',
    policy: { action: 'read', resource: 'task' },
    params: byId,
    response: { 200: TaskBody },
    handler: async (ctx) =>
      ctx.reply(200, await workflow.task(byOf(ctx.principal, ctx.requestId, 'task'), ctx.params.id)),
  }),
  defineRoute({
    method: 'POST',
    url: '/api/v1/tasks/:id/claim',
    summary: 'Take a task; 409 says who has it',
    description: 'With takeOver=true also from a colleague, once its time limit has passed.',
    policy,
    params: byId,
    query: ClaimTask,
    response,
    async handler(ctx) {
      const { version: seen, takeOver } = ctx.query
      return answer(workflow, ctx, await workflow.claim(acting(ctx), ctx.params.id, { seen, takeOver }))
    },
  }),
  defineRoute({
    method: 'POST',
    url: '/api/v1/tasks/:id/acknowledge',
    summary: 'Say that one has seen a task and is on it; takes it when nobody has it',
    policy,
    params: byId,
    query: SeenTask,
    response,
    handler: async (ctx) =>
      answer(workflow, ctx, await workflow.acknowledge(acting(ctx), ctx.params.id, ctx.query.version)),
  }),
  defineRoute({
    method: 'POST',
    url: '/api/v1/tasks/:id/release',
    summary: 'Give a task back; escalation goes on',
    policy,
    params: byId,
    query: SeenTask,
    response,
    handler: async (ctx) =>
      answer(workflow, ctx, await workflow.release(acting(ctx), ctx.params.id, ctx.query.version)),
  }),
  defineRoute({
    method: 'POST',
    url: '/api/v1/tasks/:id/snooze',
    summary: 'Put one’s own task off for a while, never beyond its due time',
    policy,
    params: byId,
    body: SnoozeTask,
    response,
    handler: async (ctx) => answer(workflow, ctx, await workflow.snooze(acting(ctx), ctx.params.id, ctx.body)),
  }),
  defineRoute({
    method: 'POST',
    url: '/api/v1/tasks/:id/hand-off',
    summary: 'Give a task to a colleague, who is told; the due time stays',
    policy,
    params: byId,
    body: HandOffTask,
    response,
    handler: async (ctx) => answer(workflow, ctx, await workflow.handOff(acting(ctx), ctx.params.id, ctx.body)),
  }),
  defineRoute({
    method: 'POST',
    url: '/api/v1/tasks/:id/complete',
    summary: 'End a task with what was done; closes its alert',
    policy,
    params: byId,
    body: CompleteTask,
    response,
    handler: async (ctx) => answer(workflow, ctx, await workflow.complete(acting(ctx), ctx.params.id, ctx.body)),
  }),
  ...notificationRoutes(workflow),
  ...reviewRoutes(workflow.reviews),
  ...breakGlassRoutes(workflow.breakGlass),
  defineRoute({
    method: 'POST',
    url: '/api/v1/tasks/:id/reopen',
    summary: 'Take a completion of one’s own back, within a minute',
    policy,
    params: byId,
    query: SeenTask,
    response,
    handler: async (ctx) => answer(workflow, ctx, await workflow.reopen(acting(ctx), ctx.params.id, ctx.query.version)),
  }),
  ...activityRoutes(workflow.activities),
]

type Asked = Pick<
  Context<typeof policy, typeof byId, undefined, undefined, typeof response>,
  'principal' | 'tenant' | 'requestId' | 'params' | 'reply'
>

function acting({ principal, requestId }: Pick<Asked, 'principal' | 'requestId'>): Acting {
  if (principal.kind === 'staff') {
    const sight = sightOf(principal, 'act', 'task')
    return { tenant: principal.tenant, staff: principal.id, requestId, sight }
  }
  throw workflowFailure('staff-needed', 'A person takes and completes tasks. Sign in as a member of staff.')
}

/** The task as it stands after the act, or who has it. */
async function answer(workflow: Workflow, ctx: Asked, act: Act): Promise<Replied> {
  if (!act.done) return ctx.reply(409, await taken(workflow, ctx.tenant, act))
  return ctx.reply(200, await workflow.task(byOf(ctx.principal, ctx.requestId, 'task'), ctx.params.id))
}

async function taken(workflow: Workflow, tenant: string, act: Extract<Act, { done: false }>): Promise<TaskTaken> {
  return {
    resourceType: 'OperationOutcome',
    issue: [
      {
        severity: 'error',
        code: 'conflict',
        diagnostics: 'A colleague has this task. Talk to them, or choose another.',
        details: { coding: [{ system: errorCodeSystem, code: 'task-claimed' }] },
      },
    ],
    claimedBy: { id: act.claimedBy, name: await workflow.staffName(tenant, act.claimedBy) },
    claimedAt: act.claimedAt,
  }
}
