/** Consents over HTTP: staff record them, a patient reads and withdraws their own. */
import {
  ConsentHistory,
  ConsentList,
  ConsentSettings,
  ConsentView,
  Id,
  NewConsent,
  WithdrawConsent,
} from '@careloop/contract'
import { z } from 'zod'
import { defineRoute, type Route } from '../../identity/index.ts'
import { byOf } from '../by.ts'
import type { Consents } from './consents.ts'

const ofSubject = z.object({ id: Id })
const ofConsent = z.object({ id: Id, consent: Id })
const both = ({ id, consent }: z.infer<typeof ofConsent>) => ({ subject: id, consent })

export const consentRoutes = (consents: Consents): Route[] => [
  defineRoute({
    method: 'GET',
    url: '/api/v1/subjects/:id/consents',
    summary: 'What a patient permitted and forbade, to whom, since when and until when',
    policy: { action: 'read', resource: 'consent' },
    params: ofSubject,
    response: { 200: ConsentList },
    handler: async (ctx) =>
      ctx.reply(200, { items: await consents.list(byOf(ctx.principal, ctx.requestId, 'consent'), ctx.params.id) }),
  }),
  defineRoute({
    method: 'POST',
    url: '/api/v1/subjects/:id/consents',
    summary: 'Record what a patient permits or forbids',
    description:
      'A refusal goes before every permission. It counts at once for reads, streams, notifications and exports.',
    policy: { action: 'create', resource: 'consent' },
    params: ofSubject,
    body: NewConsent,
    response: { 201: ConsentView },
    handler: async (ctx) =>
      ctx.reply(
        201,
        await consents.record(byOf(ctx.principal, ctx.requestId, 'consent', 'create'), ctx.params.id, ctx.body),
      ),
  }),
  defineRoute({
    method: 'POST',
    url: '/api/v1/subjects/:id/consents/:consent/withdraw',
    summary: 'Withdraw a consent, or mark it as never given',
    description: 'From now on. What was shared before stays shared; an open alert stays with its clinical owner.',
    policy: { action: 'update', resource: 'consent' },
    params: ofConsent,
    body: WithdrawConsent,
    response: { 200: ConsentView },
    handler: async (ctx) =>
      ctx.reply(
        200,
        await consents.withdraw(byOf(ctx.principal, ctx.requestId, 'consent', 'update'), both(ctx.params), ctx.body),
      ),
  }),
  defineRoute({
    method: 'GET',
    url: '/api/v1/subjects/:id/consents/:consent/history',
    summary: 'Every version of a consent as FHIR R4 Consent',
    policy: { action: 'read', resource: 'consent' },
    params: ofConsent,
    response: { 200: ConsentHistory },
    handler: async (ctx) =>
      ctx.reply(200, {
        items: await consents.history(byOf(ctx.principal, ctx.requestId, 'consent'), both(ctx.params)),
      }),
  }),
  defineRoute({
    method: 'GET',
    url: '/api/v1/consent-settings',
    summary: 'Whether records under 42 CFR Part 2 are held here, and which programs are our own',
    policy: { action: 'read', resource: 'tenant' },
    response: { 200: ConsentSettings },
    handler: async (ctx) => ctx.reply(200, await consents.settings(byOf(ctx.principal, ctx.requestId))),
  }),
  defineRoute({
    method: 'PUT',
    url: '/api/v1/consent-settings',
    summary: 'Say whether records under 42 CFR Part 2 are held here, and which programs are our own',
    policy: { action: 'update', resource: 'tenant' },
    stepUp: true,
    body: ConsentSettings,
    response: { 200: ConsentSettings },
    handler: async (ctx) => ctx.reply(200, await consents.changeSettings(byOf(ctx.principal, ctx.requestId), ctx.body)),
  }),
]
