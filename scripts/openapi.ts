/**
 * docs/openapi/openapi.json against the routes as they stand: `node scripts/openapi.ts` checks, `--write` writes.
 * `scripts/check.ts` calls `checkOpenApi`.
 */
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { openApiProblem, openApiText, writeOpenApi } from '../packages/platform/src/api/openapi-file.ts'
import { routesOf } from '../packages/platform/src/app/routes.ts'
import type { Route } from '../packages/platform/src/identity/index.ts'

const file = fileURLToPath(new URL('../docs/openapi/openapi.json', import.meta.url))

/** @returns what is wrong and what to do, or null */
export const checkOpenApi = (): string | null => openApiProblem(textNow(), file)

function textNow(): string {
  const manifest = new URL('../packages/platform/package.json', import.meta.url)
  const { version } = JSON.parse(readFileSync(manifest, 'utf8')) as { version: string }
  return openApiText(roomsRoutes(), version)
}

/** The routes of all rooms, for those who look at them without a server. */
export const roomsRoutes = (): readonly Route[] => routesOf(nobody(), nobody())

/** Rooms that a route's handler would call, and that listing routes never does. A call here is a bug of a routes.ts. */
function nobody<T extends object>(): T {
  const call = () => {
    throw new Error('A routes.ts calls its room while it lists its routes. Call it in the handler.')
  }
  const proxy: T = new Proxy(call as unknown as T, { get: () => proxy })
  return proxy
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  if (process.argv.includes('--write')) writeOpenApi(textNow(), file)
  const problem = checkOpenApi()
  if (problem !== null) {
    console.error(problem)
    process.exitCode = 1
  }
}
