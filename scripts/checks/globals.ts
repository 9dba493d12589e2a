/**
 * The clock, chance and the environment come from `engine`: what reads them by itself cannot be tested on scripted time, nor
 * replayed. The words embedded and distributed tell of the engine in use, which is nobody's business but engine's and app's.
 */
import { isTestCode, PURE_PACKAGES, packageOf, roomOf } from '../source/rooms.ts'
import type { SourceFile } from '../source/source-file.ts'

interface Exception {
  readonly path: string
  readonly what: RegExp
  readonly reason: string
}

/** Each a decision. `stale` exceptions fail as well, so that the list stays true. */
export const EXCEPTIONS: readonly Exception[] = [
  { path: 'packages/platform/src/engine/clock/system-clock.ts', what: /^Date\.now$/, reason: 'it is the clock' },
  {
    path: 'packages/platform/src/engine/clock/stopwatch.ts',
    what: /^performance\.now$/,
    reason: 'it is the stopwatch',
  },
  {
    path: 'packages/platform/src/engine/watch/watch.ts',
    what: /^new Date\(\)$/,
    reason: 'a log line tells real time, whatever time a test plays',
  },
]

const FORBIDDEN =
  /^(Date\.now|new Date\(\)|Math\.random|process\.(env|argv|hrtime|uptime)|performance\.(now|timeOrigin)|crypto\.randomUUID)$/
const PURE_FORBIDDEN = /^(process\.|performance\.|crypto\.)/
/** Waiting and supervising before there is an engine: real time on a monotonic clock, and the environment of a child process. */
const BEFORE_THE_ENGINE = /^packages\/platform\/src\/engine\/(postgres|log)\//
const BEFORE_THE_ENGINE_MAY = /^(performance\.now|process\.env)$/

/** @returns a line for each use that is not allowed, with what to do */
export function globalProblems(
  sources: readonly SourceFile[],
  exceptions: readonly Exception[] = EXCEPTIONS,
): readonly string[] {
  const used = new Set<Exception>()
  const problems = sources.filter(isHeld).flatMap(({ path, globals }) =>
    globals.flatMap(({ what, line }) => {
      if (!FORBIDDEN.test(what) && !(packageOf(path)! in PURE_PACKAGES && PURE_FORBIDDEN.test(what))) return []
      if (BEFORE_THE_ENGINE.test(path) && BEFORE_THE_ENGINE_MAY.test(what)) return []
      const exception = exceptions.find((each) => each.path === path && each.what.test(what))
      if (exception === undefined)
        return [`${path}:${line}: ${what}. Take it from engine (clock, ids) or as an argument.`]
      used.add(exception)
      return []
    }),
  )
  const stale = exceptions.filter((each) => !used.has(each))
  return [...problems, ...stale.map((each) => `${each.path}: the exception for ${each.what} is not needed any more.`)]
}

/** Rooms and pure packages; app reads the environment once, for all. */
const isHeld = ({ path }: SourceFile): boolean => {
  if (isTestCode(path)) return false
  const room = roomOf(path)
  return room === null ? packageOf(path)! in PURE_PACKAGES : room !== 'app'
}

/** @returns a line for each word of the engine in use outside engine and app */
export function wordProblems(sources: readonly SourceFile[]): readonly string[] {
  const held = sources.filter(({ path }) => !isTestCode(path) && !['engine', 'app', null].includes(roomOf(path)))
  return held.flatMap(({ path, words }) =>
    words
      .filter(({ what }) => /\b(embedded|distributed)\b|CARELOOP_ROLE/i.test(what))
      .map(({ line }) => `${path}:${line}: which engine is in use is known to engine and app only.`),
  )
}
