/** What the pages may know before anybody has signed in. */
import { Place } from '@careloop/contract'
import { defineRoute, type Route } from '../identity/index.ts'
import type { ApiParts } from './parts.ts'

export const placeRoutes = ({ isDemo = false }: Pick<ApiParts, 'isDemo'>): Route[] => [
  defineRoute({
    method: 'GET',
    url: '/api/v1/place',
    summary: 'Whether the data are those of a demo, in which everybody is invented',
    tag: 'place',
    policy: 'public',
    response: { 200: Place },
    handler: (ctx) => ctx.reply(200, { demo: isDemo }),
  }),
]
