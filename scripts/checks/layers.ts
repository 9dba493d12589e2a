/**
 * Who may import whom. A room calls only rooms before it and enters them by their door; packages stand on each other as
 * `PACKAGE_IMPORTS` says; what is for tests is imported by tests only. bench, scripts and test look inside as they need.
 */
import {
  insideRoom,
  isTestCode,
  PACKAGE_IMPORTS,
  PURE_PACKAGES,
  packageOf,
  ROOM_ORDER,
  ROOMS_DIR,
  type Room,
  roomOf,
} from '../source/rooms.ts'
import type { Import, SourceFile } from '../source/source-file.ts'

/** Parts of engine that tests of other rooms build their own engine from. */
const ENGINE_PARTS_FOR_TESTS = ['clock/manual-clock.ts', 'watch/watch.ts', 'ids/ids.ts']

/** @returns a line for each import that is not allowed, with what to do */
export function layerProblems(sources: readonly SourceFile[]): readonly string[] {
  return sources
    .filter((source) => source.path.startsWith('packages/'))
    .flatMap((source) => [
      ...strayRoom(source),
      ...source.imports.flatMap((each) => {
        const problem = packageProblem(source, each) ?? roomProblem(source, each) ?? pureProblem(source, each)
        return problem === null ? [] : [`${source.path}:${each.line}: ${problem}`]
      }),
    ])
}

const isRoom = (name: string | null): name is Room => ROOM_ORDER.some((room) => room === name)

function strayRoom({ path }: SourceFile): readonly string[] {
  const room = roomOf(path)
  if (room === null || isRoom(room)) return []
  return [`${path}: ${room} has no place in the order of rooms. Give it one in scripts/source/rooms.ts and an ADR.`]
}

function packageProblem({ path }: SourceFile, { target, specifier }: Import): string | null {
  const from = packageOf(path)!
  const workspace = /^@careloop\/([^/]+)$/.exec(target)?.[1]
  const to = workspace ?? packageOf(target)
  if (to === null || to === from) return null
  if (!PACKAGE_IMPORTS[from]?.includes(to)) return `${from} may not import ${to}. Move what both need to contract.`
  if (isTestCode(path) && isTestCode(target)) return null // a package's exports are for its users, not for their tests
  if (workspace === undefined) return `imports ${specifier} by its path. Import @careloop/${to}.`
  if (specifier !== target) return `imports ${specifier} past the package's index. Export it there.`
  return null
}

function roomProblem({ path }: SourceFile, { target }: Import): string | null {
  const from = roomOf(path)
  const to = roomOf(target)
  if (packageOf(path) === 'platform' && from === null && to !== null) return null // the package's own index
  if (!isTestCode(path) && isTestCode(target) && target.startsWith('packages/')) {
    return `${target} is for tests only. Move what the server needs out of it.`
  }
  if (!isRoom(from) || !isRoom(to) || from === to) return null
  if (isTestCode(path)) {
    return isDoorForTests(to, insideRoom(target))
      ? null
      : `enters ${to} past its door. Import ${ROOMS_DIR}/${to}/index.ts.`
  }
  if (ROOM_ORDER.indexOf(to) > ROOM_ORDER.indexOf(from)) {
    return `${from} stands before ${to} and may not call it. Publish a fact, or let app hand the call in.`
  }
  if (!isDoor(from, insideRoom(target))) return `enters ${to} past its door. Export what is needed from ${to}/index.ts.`
  return null
}

function isDoor(from: Room, file: string): boolean {
  if (file === 'index.ts') return true
  if (file === 'routes.ts') return from === 'api' || from === 'app'
  return file === 'stages.ts' && from === 'app'
}

const isDoorForTests = (to: Room, file: string): boolean =>
  ['index.ts', 'routes.ts', 'stages.ts', 'fixtures.ts'].includes(file) ||
  file.startsWith('testing/') ||
  (to === 'engine' && ENGINE_PARTS_FOR_TESTS.includes(file))

function pureProblem({ path }: SourceFile, { target }: Import): string | null {
  const allowed = PURE_PACKAGES[packageOf(path)!]
  if (allowed === undefined || isTestCode(path) || !target.startsWith('node:')) return null
  return allowed.includes(target) ? null : `${packageOf(path)} does no input or output: ${target} is not for it.`
}
