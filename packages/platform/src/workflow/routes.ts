/** The worklist and tasks over HTTP. Acts are a person's: a program cannot take responsibility. */
import { ClaimTask, CompleteTask, errorCodeSystem, Id, TaskBody, TaskTaken, Worklist } from '@careloop/contract'
import { z } from 'zod'
import { defineRoute, type PersonOrService, type Route } from '../identity/index.ts'
import { byOf, kindsOf } from '../subjects/index.ts'
import { workflowFailure } from './errors.ts'
import type { Act, Acting } from './tasks.ts'
import type { Workflow } from './workflow.ts'

const byId = z.object({ id: Id })

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
    policy: { action: 'act', resource: 'task' },
    params: byId,
    query: ClaimTask,
    response: { 200: TaskBody, 409: TaskTaken },
    async handler(ctx) {
      const act = await workflow.claim(acting(ctx.principal, ctx.requestId), ctx.params.id, ctx.query.version)
      if (!act.done) return ctx.reply(409, await taken(workflow, ctx.tenant, act))
      return ctx.reply(200, await workflow.task(byOf(ctx.principal, ctx.requestId, 'task'), ctx.params.id))
    },
  }),
  defineRoute({
    method: 'POST',
    url: '/api/v1/tasks/:id/complete',
    summary: 'End a task with what was done; closes its alert',
    policy: { action: 'act', resource: 'task' },
    params: byId,
    body: CompleteTask,
    response: { 200: TaskBody, 409: TaskTaken },
    async handler(ctx) {
      const act = await workflow.complete(acting(ctx.principal, ctx.requestId), ctx.params.id, ctx.body)
      if (!act.done) return ctx.reply(409, await taken(workflow, ctx.tenant, act))
      return ctx.reply(200, await workflow.task(byOf(ctx.principal, ctx.requestId, 'task'), ctx.params.id))
    },
  }),
]

function acting(principal: PersonOrService, requestId: string): Acting {
  if (principal.kind === 'staff') {
    const kinds = kindsOf(principal, 'act', 'task')
    return { tenant: principal.tenant, staff: principal.id, requestId, kinds }
  }
  throw workflowFailure('staff-needed', 'A person takes and completes tasks. Sign in as a member of staff.')
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
