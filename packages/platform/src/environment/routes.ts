/** The board over HTTP. */
import { Board } from '@careloop/contract'
import { defineRoute, type Route } from '../identity/index.ts'
import { byOf } from '../subjects/index.ts'
import { type BoardParts, makeBoard } from './board.ts'
import { displayBoardRoutes } from './display-routes.ts'

export function environmentRoutes(parts: BoardParts): Route[] {
  const board = makeBoard(parts)
  return [
    defineRoute({
      method: 'GET',
      url: '/api/v1/board',
      summary:
        'Refrigerators and freezers: what they read now and in the last 24 h, their band, what is open; worst first',
      policy: { action: 'read', resource: 'board' },
      response: { 200: Board },
      handler: async (ctx) => ctx.reply(200, await board(byOf(ctx.principal, ctx.requestId, 'board'))),
    }),
    ...displayBoardRoutes(board),
  ]
}
