import { availableParallelism } from 'node:os'
import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    include: ['packages/*/src/**/*.test.{ts,tsx}', 'test/**/*.test.ts', 'scripts/**/*.test.ts'],
    testTimeout: 30_000,
    hookTimeout: 60_000,
    // What is waited for comes when it comes: a machine with other work makes no test fail.
    expect: { poll: { timeout: 20_000 } },
    pool: 'forks',
    // Tests wait for PostgreSQL, sockets and other processes as much as they compute: two even on one core, and few enough on
    // many that one server bears their databases.
    maxWorkers: Math.min(6, Math.max(2, availableParallelism())),
    globalSetup: ['packages/platform/src/engine/testing/test-server.ts'],
  },
})
