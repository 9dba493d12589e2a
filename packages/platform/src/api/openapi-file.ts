/** The committed copy of the OpenAPI document, so that a change of an endpoint shows in the same commit. */
import { readFileSync, writeFileSync } from 'node:fs'
import type { Route } from '../identity/index.ts'
import { healthRoutes } from './health.ts'
import { liveRoutes } from './live.ts'
import type { LiveHub } from './live-hub.ts'
import { openApiDocument, openApiRoutes } from './openapi.ts'
import type { ApiParts } from './parts.ts'
import { placeRoutes } from './place.ts'

/** @param rooms the routes of all rooms; the shell's own are added here. @returns the text of docs/openapi/openapi.json */
export function openApiText(rooms: readonly Route[], version: string): string {
  // Routes are data: these are written down and never served.
  const unserved = { readiness: [], version, routes: [] } as unknown as ApiParts
  const routes = [...rooms, ...healthRoutes(unserved), ...placeRoutes(unserved), ...liveRoutes(unserved, {} as LiveHub)]
  return `${JSON.stringify(openApiDocument([...routes, ...openApiRoutes(routes, version)], version), null, 2)}\n`
}

/** Null when the committed file is current, else what to do. */
export function openApiProblem(text: string, file: string): string | null {
  let committed = ''
  try {
    committed = readFileSync(file, 'utf8')
  } catch {
    return `${file} is missing. Run \`node scripts/openapi.ts --write\` and commit it.`
  }
  return committed === text
    ? null
    : `${file} is not what is served. Run \`node scripts/openapi.ts --write\` and commit it.`
}

export const writeOpenApi = (text: string, file: string): void => writeFileSync(file, text)
