/** `npm run soak:kill` and its like: the same stories and fuzzers as in CI, for longer. */
import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'

interface Soak {
  readonly files: readonly string[]
  readonly env: Readonly<Record<string, string>>
  readonly testTimeoutMs: number
}

const stories = (...names: string[]) => names.map((name) => `test/stories/${name}.test.ts`)
const HOUR_MS = 3_600_000

/** What each holds stands in docs of the stories themselves. */
const soaks: Readonly<Record<string, Soak>> = {
  kill: {
    files: stories('kill', 'migration-kill'),
    env: { STORY_ROUNDS: '100' },
    testTimeoutMs: 3 * HOUR_MS,
  },
  pause: { files: stories('take-over', 'database-away'), env: {}, testTimeoutMs: HOUR_MS },
  storm: { files: stories('storm'), env: {}, testTimeoutMs: HOUR_MS },
  rubbish: { files: stories('rubbish'), env: {}, testTimeoutMs: HOUR_MS },
  'fhir-search': {
    files: ['packages/platform/src/clinical/search/oracle.test.ts'],
    env: { SEARCH_QUERIES: '2000' },
    testTimeoutMs: HOUR_MS,
  },
  // Every test that counts its cases by FUZZ_CASES.
  fuzz: {
    files: [
      'packages/profiles/src/fuzz.test.ts',
      'packages/platform/src/telemetry/codec',
      'packages/platform/src/ingest/mqtt/rubbish.test.ts',
      'packages/platform/src/ingest/decode',
      'packages/platform/src/ingest/marks',
    ],
    env: { FUZZ_CASES: '1000000' },
    testTimeoutMs: 6 * HOUR_MS,
  },
}

const name = process.argv[2] ?? ''
const soak = soaks[name]
if (!soak) {
  console.error(`npm run soak:<name>, one of ${Object.keys(soaks).join(', ')}`)
  process.exit(2)
}
const vitest = fileURLToPath(new URL('../../node_modules/vitest/vitest.mjs', import.meta.url))
const args = [
  vitest,
  'run',
  ...soak.files,
  '--no-file-parallelism',
  `--testTimeout=${soak.testTimeoutMs}`,
  `--hookTimeout=${HOUR_MS}`,
]
const run = spawn(process.execPath, [...args, ...process.argv.slice(3)], {
  stdio: 'inherit',
  env: { ...process.env, STORY_SOAK: '1', ...soak.env },
})
run.once('exit', (code) => process.exit(code ?? 1))
