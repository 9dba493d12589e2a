/** The rooms of the platform and the packages: who stands on whom. ARCHITECTURE's order, as data. */

/** The order of calls. A room that is not here yet is entered with its first feature; practice rooms stand before `api`. */
export const ROOM_ORDER = [
  'engine',
  'audit',
  'identity',
  'subjects',
  'fleet',
  'ingest',
  'telemetry',
  'clinical',
  'alerting',
  'workflow',
  'integrations',
  'rpm',
  'medication',
  'environment',
  'assets',
  'behavioral',
  'pilot',
  'compliance',
  'api',
  'app',
] as const

export type Room = (typeof ROOM_ORDER)[number]

export const ROOMS_DIR = 'packages/platform/src'

/** What a package may import of ours. `types`: by `import type` only, so that nothing of it is in the bundle. */
export const PACKAGE_IMPORTS: Readonly<Record<string, readonly string[]>> = {
  contract: [],
  profiles: ['contract'],
  rules: ['contract'],
  fhir: [],
  platform: ['contract', 'profiles', 'rules', 'fhir'],
  web: ['contract'],
  simulator: ['contract', 'profiles', 'platform'],
  edge: ['contract', 'profiles', 'rules'],
}

/**
 * Packages without input and output. Profiles open encrypted frames: `node:crypto` computes, it reads nothing. FHIR loads
 * two large libraries when the first seldom rule or unit comes, not at every start: `node:module`.
 */
export const PURE_PACKAGES: Readonly<Record<string, readonly string[]>> = {
  contract: [],
  rules: [],
  fhir: ['node:module'],
  profiles: ['node:crypto', 'node:buffer'],
}

/** The folder below packages/, or null. */
export const packageOf = (path: string): string | null => /^packages\/([^/]+)\//.exec(path)?.[1] ?? null

/** The first folder below the platform's sources, whether it is a room or not, or null. */
export const roomOf = (path: string): string | null =>
  path.startsWith(`${ROOMS_DIR}/`) ? (/^([^/]+)\//.exec(path.slice(ROOMS_DIR.length + 1))?.[1] ?? null) : null

/** A file's place inside its room or package: `mqtt/index.ts`. */
export const insideRoom = (path: string): string => path.slice(`${ROOMS_DIR}/${roomOf(path)}/`.length)

/** Tests, contract suites, fixtures and what stands in `testing/` or `testdata/`: what a server never loads. */
export const isTestCode = (path: string): boolean =>
  /\.(test|contract)\.tsx?$|\/(testing|testdata)\/|\/fixtures\.tsx?$/.test(path) || !path.startsWith('packages/')
