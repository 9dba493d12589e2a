/** Alerts, programs, rules and limits of one subject over HTTP. */
import {
  ActivateProgram,
  DeactivateRule,
  ExplainBody,
  Id,
  NewOverride,
  OverrideBody,
  OverrideList,
  ProgramBody,
  ProgramList,
  ProgramRule,
  RuleEdit,
  SubjectAlerts,
  SubjectAlertsQuery,
  SubjectRules,
  TakeFile,
} from '@careloop/contract'
import { z } from 'zod'
import { defineRoute, type Route } from '../identity/index.ts'
import { byOf } from '../subjects/index.ts'
import type { Alerting } from './alerting.ts'

export const alertingRoutes = (alerting: Alerting): Route[] => [
  ...alertRoutes(alerting),
  ...programRoutes(alerting),
  ...ruleRoutes(alerting),
  ...overrideRoutes(alerting),
]

const byId = z.object({ id: Id })

const alertRoutes = (alerting: Alerting): Route[] => [
  defineRoute({
    method: 'GET',
    url: '/api/v1/alerts/:id/explain',
    summary: 'Why an alert exists: the sentence, the readings and bytes that made it, the rule, what happened since',
    policy: { action: 'read', resource: 'alert' },
    params: byId,
    response: { 200: ExplainBody },
    handler: async (ctx) =>
      ctx.reply(200, await alerting.explain(byOf(ctx.principal, ctx.requestId, 'alert'), ctx.params.id)),
  }),
  defineRoute({
    method: 'GET',
    url: '/api/v1/subjects/:id/alerts',
    summary: 'Alerts of a subject that stood in a span, newest first',
    policy: { action: 'read', resource: 'alert' },
    params: byId,
    query: SubjectAlertsQuery,
    response: { 200: SubjectAlerts },
    handler: async (ctx) =>
      ctx.reply(200, await alerting.alertsOf(byOf(ctx.principal, ctx.requestId, 'alert'), ctx.params.id, ctx.query)),
  }),
]

const ofProgram = z.object({ code: z.string().min(1).max(64) })

const programRoutes = (alerting: Alerting): Route[] => [
  defineRoute({
    method: 'GET',
    url: '/api/v1/programs',
    summary:
      'Programs with their rules: limits, owner, action expected, time limit, backup, and whom the roles reach now',
    policy: { action: 'read', resource: 'program' },
    response: { 200: ProgramList },
    handler: async (ctx) =>
      ctx.reply(200, { programs: await alerting.programBodies(byOf(ctx.principal, ctx.requestId, 'enrolment')) }),
  }),
  defineRoute({
    method: 'POST',
    url: '/api/v1/programs/:code/activate',
    summary: 'Activate a program that comes with Careloop or is installed, after its notice was seen',
    description: 'Rules that were edited here keep their edits, rules that somebody switched off stay off.',
    policy: { action: 'act', resource: 'program' },
    stepUp: true,
    params: ofProgram,
    body: ActivateProgram,
    response: { 200: ProgramBody },
    handler: async (ctx) =>
      ctx.reply(
        200,
        await alerting.activateByCode(byOf(ctx.principal, ctx.requestId, 'program', 'act'), ctx.params.code),
      ),
  }),
]

const ofRule = z.object({
  code: z.string().min(1).max(64),
  rule: z.string().min(1).max(64).meta({ description: 'Id or code of the rule' }),
})
const addressOf = ({ code, rule }: z.infer<typeof ofRule>) => ({ program: code, rule })

const ruleRoutes = (alerting: Alerting): Route[] => [
  defineRoute({
    method: 'PUT',
    url: '/api/v1/programs/:code/rules/:rule',
    summary: 'Change a rule: a new version that stands at once for everybody in the program',
    policy: { action: 'update', resource: 'rule' },
    stepUp: true,
    params: ofRule,
    body: RuleEdit,
    response: { 200: ProgramRule },
    handler: async (ctx) =>
      ctx.reply(
        200,
        await alerting.editRule(byOf(ctx.principal, ctx.requestId, 'rule', 'update'), addressOf(ctx.params), ctx.body),
      ),
  }),
  defineRoute({
    method: 'POST',
    url: '/api/v1/programs/:code/rules/:rule/take-file',
    summary: "Put what the program's file says in place of what was edited here",
    policy: { action: 'update', resource: 'rule' },
    stepUp: true,
    params: ofRule,
    body: TakeFile,
    response: { 200: ProgramRule },
    handler: async (ctx) =>
      ctx.reply(
        200,
        await alerting.takeFileVersion(
          byOf(ctx.principal, ctx.requestId, 'rule', 'update'),
          addressOf(ctx.params),
          ctx.body,
        ),
      ),
  }),
  defineRoute({
    method: 'POST',
    url: '/api/v1/programs/:code/rules/:rule/activate',
    summary: 'Switch a rule on in its newest version',
    policy: { action: 'act', resource: 'rule' },
    stepUp: true,
    params: ofRule,
    response: { 200: ProgramRule },
    handler: async (ctx) =>
      ctx.reply(
        200,
        await alerting.activateRule(byOf(ctx.principal, ctx.requestId, 'rule', 'act'), addressOf(ctx.params)),
      ),
  }),
  defineRoute({
    method: 'POST',
    url: '/api/v1/programs/:code/rules/:rule/deactivate',
    summary: 'Switch a rule off, with a reason',
    policy: { action: 'act', resource: 'rule' },
    stepUp: true,
    params: ofRule,
    body: DeactivateRule,
    response: { 200: ProgramRule },
    handler: async (ctx) =>
      ctx.reply(
        200,
        await alerting.deactivateRule(
          byOf(ctx.principal, ctx.requestId, 'rule', 'act'),
          addressOf(ctx.params),
          ctx.body.reason,
        ),
      ),
  }),
]

const overrideRoutes = (alerting: Alerting): Route[] => [
  defineRoute({
    method: 'GET',
    url: '/api/v1/subjects/:id/rules',
    summary: 'The rules that stand for a subject now, with its own limits in them',
    policy: { action: 'read', resource: 'override' },
    params: byId,
    response: { 200: SubjectRules },
    handler: async (ctx) =>
      ctx.reply(200, await alerting.rulesOf(byOf(ctx.principal, ctx.requestId, 'override'), ctx.params.id)),
  }),
  defineRoute({
    method: 'GET',
    url: '/api/v1/subjects/:id/overrides',
    summary: 'Limits that were set for this subject, newest first, ended ones too',
    policy: { action: 'read', resource: 'override' },
    params: byId,
    response: { 200: OverrideList },
    handler: async (ctx) =>
      ctx.reply(200, {
        items: await alerting.overrides(byOf(ctx.principal, ctx.requestId, 'override'), ctx.params.id),
      }),
  }),
  defineRoute({
    method: 'POST',
    url: '/api/v1/subjects/:id/overrides',
    summary: 'Set limits of one rule for this subject, with a reason and an end',
    policy: { action: 'create', resource: 'override' },
    params: byId,
    body: NewOverride,
    response: { 201: OverrideBody },
    handler: async (ctx) =>
      ctx.reply(
        201,
        await alerting.setOverride(byOf(ctx.principal, ctx.requestId, 'override', 'create'), ctx.params.id, ctx.body),
      ),
  }),
  defineRoute({
    method: 'POST',
    url: '/api/v1/subjects/:id/overrides/:override/end',
    summary: "End a limit of this subject: its program's limit stands again",
    policy: { action: 'update', resource: 'override' },
    params: z.object({ id: Id, override: Id }),
    response: { 200: OverrideBody },
    handler: async (ctx) =>
      ctx.reply(
        200,
        await alerting.endOverride(
          byOf(ctx.principal, ctx.requestId, 'override', 'update'),
          ctx.params.id,
          ctx.params.override,
        ),
      ),
  }),
]
