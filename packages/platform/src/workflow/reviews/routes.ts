/** Reviews over HTTP: for a person of the office. */
import { ClaimReview, CloseReview, Id, ReviewDetail, ReviewList, ReviewQuery } from '@careloop/contract'
import { z } from 'zod'
import { defineRoute, type PersonOrService, type Route } from '../../identity/index.ts'
import { assertPerson } from '../assert-person.ts'
import type { Office, Reviews } from './reviews.ts'

const byId = z.object({ id: Id })

export const reviewRoutes = (reviews: Reviews): Route[] => [
  defineRoute({
    method: 'GET',
    url: '/api/v1/reviews',
    summary: 'What your office has to look at: overdue first, then by due time',
    policy: { action: 'read', resource: 'review' },
    query: ReviewQuery,
    response: { 200: ReviewList },
    handler: async (ctx) => ctx.reply(200, await reviews.list(officeOf(ctx), ctx.query.status)),
  }),
  defineRoute({
    method: 'GET',
    url: '/api/v1/reviews/:id',
    summary: 'One review, with what was done by emergency access and why',
    policy: { action: 'read', resource: 'review' },
    params: byId,
    response: { 200: ReviewDetail },
    handler: async (ctx) => ctx.reply(200, await reviews.read(officeOf(ctx), ctx.params.id)),
  }),
  defineRoute({
    method: 'POST',
    url: '/api/v1/reviews/:id/claim',
    summary: 'Say that one looks at it; colleagues see who does',
    policy: { action: 'act', resource: 'review' },
    params: byId,
    body: ClaimReview,
    response: { 200: ReviewDetail },
    handler: async (ctx) => ctx.reply(200, await reviews.claim(officeOf(ctx), ctx.params.id, ctx.body.version)),
  }),
  defineRoute({
    method: 'POST',
    url: '/api/v1/reviews/:id/close',
    summary: 'Close a review with what was found; nobody closes what is about themselves',
    policy: { action: 'act', resource: 'review' },
    params: byId,
    body: CloseReview,
    response: { 200: ReviewDetail },
    handler: async (ctx) => ctx.reply(200, await reviews.close(officeOf(ctx), ctx.params.id, ctx.body)),
  }),
]

function officeOf(ctx: { readonly principal: PersonOrService; readonly requestId: string }): Office {
  const { id, tenant, roles } = assertPerson(ctx.principal, 'Reviews are read and closed by a person.')
  return { id, tenant, roles, requestId: ctx.requestId }
}
