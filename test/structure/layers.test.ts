import { describe, expect, test } from 'vitest'
import { globalProblems, wordProblems } from '../../scripts/checks/globals.ts'
import { layerProblems } from '../../scripts/checks/layers.ts'
import { migrationProblems, ownerProblems, tableOwners } from '../../scripts/checks/table-owners.ts'
import { allSources, ROOT } from '../../scripts/source/repository.ts'
import { parseSource } from '../../scripts/source/source-file.ts'

const room = (path: string, text: string) => parseSource(`packages/platform/src/${path}`, text)
const file = (path: string, text: string) => parseSource(`packages/${path}`, text)

describe('layers', () => {
  test('a room calls only rooms before it, by their door; packages stand on each other as the design says', () => {
    expect(allSources().length).toBeGreaterThan(300)
    expect(layerProblems(allSources())).toEqual([])
  })

  test.each([
    ['a room after it', room('fleet/a.ts', `import { x } from '../ingest/index.ts'`), /stands before ingest/],
    ['a type of one after it', room('audit/a.ts', `import type { X } from '../api/index.ts'`), /stands before api/],
    ['a room past its door', room('ingest/a.ts', `export * from '../fleet/devices.ts'`), /past its door/],
    ['another’s routes', room('ingest/a.ts', `import { x } from '../fleet/routes.ts'`), /past its door/],
    ['another’s stages from api', room('api/a.ts', `import { x } from '../fleet/stages.ts'`), /past its door/],
    ['a worker’s module', room('api/a.ts', `new URL('../fleet/worker.ts', import.meta.url)`), /past its door/],
    ['a later import', room('audit/a.ts', `const x = await import('../app/index.ts')`), /stands before app/],
    ['fixtures', room('fleet/a.ts', `import { x } from '../subjects/fixtures.ts'`), /for tests only/],
    ['its own fixtures', room('fleet/a.ts', `import { x } from './fixtures.ts'`), /for tests only/],
    ['a test’s way past a door', room('fleet/a.test.ts', `import { x } from '../subjects/names.ts'`), /past its door/],
    ['a folder that is no room', room('utils/a.ts', ''), /no place in the order/],
    ['contract on another', file('contract/src/a.ts', `import { x } from '@careloop/rules'`), /may not import rules/],
    ['web on the server', file('web/src/a.tsx', `import { x } from '@careloop/platform'`), /may not import platform/],
    ['past an index', file('rules/src/a.ts', `import { x } from '@careloop/contract/src/fact.ts'`), /past the package/],
    ['by its path', file('rules/src/a.ts', `import { x } from '../../contract/src/fact.ts'`), /by its path/],
    ['files in a pure package', file('rules/src/a.ts', `import { x } from 'node:fs'`), /no input or output/],
    ['node:crypto in rules', file('rules/src/a.ts', `import { x } from 'node:crypto'`), /no input or output/],
  ])('%s is found', (_, source, says) => {
    expect(layerProblems([source]).join('\n')).toMatch(says)
  })

  test.each([
    ['a room before it', room('ingest/a.ts', `import { x } from '../fleet/index.ts'`)],
    ['routes from app', room('app/a.ts', `import { x } from '../fleet/routes.ts'`)],
    ['stages from app', room('app/a.ts', `import { x } from '../fleet/stages.ts'`)],
    ['fixtures in a test', room('fleet/a.test.ts', `import { x } from '../subjects/fixtures.ts'`)],
    ['node:crypto in profiles', file('profiles/src/a.ts', `import { x } from 'node:crypto'`)],
    ['contract', file('web/src/a.tsx', `import { x } from '@careloop/contract'`)],
    [
      'a test ground',
      file('simulator/src/a.test.ts', `import { x } from '../../platform/src/engine/testing/index.ts'`),
    ],
    ['a comment', room('audit/a.ts', `// import { x } from '../app/index.ts'`)],
  ])('%s is fine', (_, source) => {
    expect(layerProblems([source])).toEqual([])
  })
})

describe('clock, chance, environment', () => {
  test('come from engine; only app reads the environment', () => {
    expect(globalProblems(allSources())).toEqual([])
  })

  test.each([
    'Date.now()',
    'new Date()',
    'Math.random()',
    'process.env.HOME',
    'crypto.randomUUID()',
    'performance.now()',
  ])('%s is found in a room and in a pure package, not in app nor in a test', (text) => {
    const held = [room('fleet/a.ts', text), file('rules/src/a.ts', text)]
    for (const source of held) expect(globalProblems([source], [])).toHaveLength(1)
    const free = [room('app/a.ts', text), room('fleet/a.test.ts', text), room('fleet/b.ts', `// ${text}`)]
    expect(globalProblems(free, [])).toEqual([])
  })

  test('`new Date(ms)` is no clock', () => expect(globalProblems([room('fleet/a.ts', 'new Date(5)')], [])).toEqual([]))

  test('an exception that nobody needs is found', () => {
    const exception = { path: 'packages/platform/src/fleet/a.ts', what: /^Date\.now$/, reason: 'none' }
    expect(globalProblems([room('fleet/a.ts', 'Date.now()')], [exception])).toEqual([])
    expect(globalProblems([room('fleet/a.ts', '')], [exception])).toHaveLength(1)
  })
})

describe('which engine is in use', () => {
  test('is known to engine and app only', () => expect(wordProblems(allSources())).toEqual([]))

  test.each(['const embedded = 1', `if (kind === 'distributed') stop()`, `env('CARELOOP_ROLE')`])(
    '%s is found',
    (text) => {
      expect(wordProblems([room('fleet/a.ts', text)])).not.toEqual([])
      expect(wordProblems([room('engine/a.ts', text), room('app/a.ts', text)])).toEqual([])
    },
  )
})

describe('tables', () => {
  const owners = tableOwners(ROOT)

  test('are written by the room that owns them', () => {
    expect(owners.size).toBeGreaterThan(30)
    expect(migrationProblems(ROOT)).toEqual([])
    expect(ownerProblems(allSources(), owners)).toEqual([])
  })

  test.each([
    `sql('insert into tenant.alert (id) values ($1)')`,
    'sql(`update engine.sample set x = $' + '{y}`)',
    `sql('with gone as (delete from tenant.task returning 1) select 1')`,
    `tx.tables().insertInto('alert')`,
    `tx.tables().updateTable('alert as a')`,
    `tx.tables().deleteFrom('tenant.alert')`,
  ])('%s in another room is found', (text) => {
    expect(ownerProblems([room('fleet/a.ts', text)], owners)).toHaveLength(1)
  })

  test('reading another room’s table, and writing one’s own, is fine', () => {
    const texts = [`sql('select 1 from tenant.alert for update')`, `sql('insert into tenant.device (id) values ($1)')`]
    expect(
      ownerProblems(
        texts.map((text) => room('fleet/a.ts', text)),
        owners,
      ),
    ).toEqual([])
  })
})
