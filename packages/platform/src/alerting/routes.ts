/** Alerts and programs over HTTP. Switching programs on and off is done where they are kept: files and `careloop`. */
import { ExplainBody, Id, ProgramList } from '@careloop/contract'
import { z } from 'zod'
import { defineRoute, type Route } from '../identity/index.ts'
import { byOf } from '../subjects/index.ts'
import type { Alerting } from './alerting.ts'
import { programBody } from './shown.ts'

export const alertingRoutes = (alerting: Alerting): Route[] => [
  defineRoute({
    method: 'GET',
    url: '/api/v1/alerts/:id/explain',
    summary: 'Why an alert exists: the sentence, the readings and bytes that made it, the rule, what happened since',
    policy: { action: 'read', resource: 'alert' },
    params: z.object({ id: Id }),
    response: { 200: ExplainBody },
    handler: async (ctx) =>
      ctx.reply(200, await alerting.explain(byOf(ctx.principal, ctx.requestId, 'alert'), ctx.params.id)),
  }),
  defineRoute({
    method: 'GET',
    url: '/api/v1/programs',
    summary: 'Programs with their rules: limits, owner, action expected, time limit, backup',
    policy: { action: 'read', resource: 'program' },
    response: { 200: ProgramList },
    handler: async (ctx) => ctx.reply(200, { programs: (await alerting.programs(ctx.tenant)).map(programBody) }),
  }),
]
