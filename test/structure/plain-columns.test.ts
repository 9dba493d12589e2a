/**
 * Every column that could hold words stands in docs/security/erasure.md, with what it holds and what erasing does to it: nobody adds
 * one without having said whether it may be about a person.
 */
import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { testGround } from '../../packages/platform/src/engine/testing/test-ground.ts'

const doc = new URL('../../docs/security/erasure.md', import.meta.url)

test('erasure > every column in which words could stand in the clear is told of, and none that is not there', async () => {
  const ground = await testGround()
  try {
    const { rows } = await ground.pool.query<{ name: string }>(
      `select format('%s.%s.%s', n.nspname, c.relname, a.attname) as name
         from pg_attribute a join pg_class c on c.oid = a.attrelid join pg_namespace n on n.oid = c.relnamespace
        where n.nspname in ('tenant', 'engine', 'auth') and c.relkind in ('r', 'p') and a.attnum > 0 and not a.attisdropped
          and a.atttypid in ('text'::regtype, 'text[]'::regtype, 'jsonb'::regtype, 'json'::regtype, 'varchar'::regtype)
        order by 1`,
    )
    const lines = readFileSync(doc, 'utf8').matchAll(/^\| `((?:tenant|engine|auth)\.\w+)` \| ([^|]+) \|/gm)
    const told = [...lines].flatMap(([, table, columns]) =>
      [...columns!.matchAll(/`(\w+)`/g)].map(([, column]) => `${table}.${column}`),
    )
    expect(rows.length).toBeGreaterThan(100)
    expect([...told].sort()).toEqual(rows.map(({ name }) => name).sort())
    expect(new Set(told).size).toBe(told.length)
  } finally {
    await ground.stop()
  }
})
