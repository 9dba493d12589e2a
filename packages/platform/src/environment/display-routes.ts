/** The board as a wall screen reads it: anybody who walks by sees it, so colleagues stand there by initials only. */
import { Board } from '@careloop/contract'
import { actorOf, type DisplayPrincipal, defineRoute, type Route } from '../identity/index.ts'
import type { By } from '../subjects/index.ts'
import { boardKinds } from './watched.ts'

export const displayBoardRoutes = (board: (by: By) => Promise<Board>): Route[] => [
  defineRoute({
    method: 'GET',
    url: '/api/v1/display/board',
    summary: 'The board of the wall screen that asks; colleagues by initials',
    tag: 'display',
    policy: 'display',
    response: { 200: Board },
    handler: async (ctx) => ctx.reply(200, forPassersBy(await board(byDisplay(ctx.principal, ctx.requestId)))),
  }),
]

/** It sees things and places, whatever else there is. */
const byDisplay = (display: DisplayPrincipal, requestId: string): By => ({
  ...{ tenant: display.tenant, actor: actorOf(display), requestId, sight: { kinds: boardKinds } },
})

/** Pure. */
export function forPassersBy(board: Board): Board {
  const units = board.units.map((unit) => ({
    ...unit,
    alerts: unit.alerts.map(({ claimedBy, task: _, ...alert }) => ({
      ...alert,
      task: null,
      ...(claimedBy === undefined ? {} : { claimedBy: initialsOf(claimedBy) }),
    })),
  }))
  return { ...board, units }
}

/** `Nora Winter` -> `N. W.` */
export const initialsOf = (name: string): string =>
  name
    .split(/[\s-]+/)
    .flatMap((word) => [...word.matchAll(/\p{L}/gu)].slice(0, 1))
    .slice(0, 3)
    .map(([letter]) => `${letter.toUpperCase()}.`)
    .join(' ')
