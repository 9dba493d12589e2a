/** Routes of the shell itself that stand below /api/v1: how the installation is looked after. */
import { SystemHealth } from '@careloop/contract'
import { defineRoute, type Route } from '../identity/index.ts'

/** @param health of the installation, not of one organisation: it names nobody */
export const systemRoutes = (health: () => Promise<SystemHealth>): Route[] => [
  defineRoute({
    method: 'GET',
    url: '/api/v1/system/health',
    summary: 'Backups, drills and what must be mended, for who looks after the installation',
    tag: 'health',
    policy: { action: 'read', resource: 'system' },
    response: { 200: SystemHealth },
    handler: async (ctx) => ctx.reply(200, await health()),
  }),
]
