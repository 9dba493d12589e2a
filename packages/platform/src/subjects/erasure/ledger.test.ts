import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type TestEngine, testEngine } from '../../engine/testing/test-engine.ts'
import { aPatient, byTest, testSubjects } from '../fixtures.ts'
import { eraseWithin } from './erase.ts'
import { exportLedger, headOf, type LedgerCopy, ledgerKey, verifyLedger } from './ledger.ts'
import { reapplyErasures } from './reapply.ts'

let ground: TestEngine
let tenant: string
beforeAll(async () => {
  ground = await testEngine()
  tenant = await ground.tenant()
  for (let n = 0; n < 3; n++) await eraseOne()
})
afterAll(() => ground.stop())

async function eraseOne(): Promise<string> {
  const { id } = await testSubjects(ground.engine).create(byTest(tenant), aPatient({ mrn: `M-${Math.random()}` }))
  const key = await ledgerKey(ground.engine)
  const erased = { tenant, subject: id, at: ground.engine.clock.now(), actor: 'cli' }
  await ground.engine.db.asEngine((tx) => eraseWithin(ground.engine, tx, key, [], erased))
  return id
}

const broken = { code: 'ledger-broken' }

describe('erasure ledger', () => {
  it('is exported whole, and read where only the master key is', async () => {
    const copy = await exportLedger(ground.engine)
    expect(copy.entries.map(({ seq }) => seq)).toEqual([1, 2, 3])
    await verifyLedger(ground.engine, copy, headOf(copy.entries))
    await verifyLedger(ground.engine, JSON.parse(JSON.stringify(copy)))
    await expect(verifyLedger(ground.engine, { ...copy, key: { ...copy.key, owner: 'x' } })).rejects.toMatchObject(
      broken,
    )
  })

  it('tells what was changed, taken out, put in between, swapped or cut at its end', async () => {
    const copy = await exportLedger(ground.engine)
    const [a, b, c] = copy.entries as [never, never, never]
    const other = '00000000-0000-7000-8000-000000000000'
    const of = (...entries: object[]): LedgerCopy => ({ ...copy, entries: entries as LedgerCopy['entries'] })
    const forged = [
      ...(['tenant', 'subject', 'key'] as const).map((field) => of(a, { ...(b as object), [field]: other }, c)),
      of(a, { ...(b as object), at: 1 }, c),
      of(a, { ...(b as object), mac: '00'.repeat(32) }, c),
      of(a, c),
      of(a, { ...(c as object), seq: 2 }),
      of(b, c),
      of(b, a, c),
      of(a, b, b, c),
    ]
    for (const each of forged) await expect(verifyLedger(ground.engine, each)).rejects.toMatchObject(broken)
    // A whole beginning is well-formed: only who knows of more can tell.
    await verifyLedger(ground.engine, of(a, b))
    await expect(verifyLedger(ground.engine, of(a, b), headOf(copy.entries))).rejects.toMatchObject(broken)
  })

  it('takes no change in the database either', async () => {
    const { pool } = ground.engine.db
    for (const sql of ['delete from', 'truncate'])
      await expect(pool.query(`${sql} engine.erasure_ledger`)).rejects.toThrow('never changed')
    await expect(pool.query('update engine.erasure_ledger set erased_at = 0')).rejects.toThrow('never changed')
  })

  it('goes on in one chain when two erase at once', async () => {
    await Promise.all([eraseOne(), eraseOne(), eraseOne()])
    const copy = await exportLedger(ground.engine)
    expect(copy.entries.map(({ seq }) => seq)).toEqual([1, 2, 3, 4, 5, 6])
  })

  it('finishes what a restore began: a key that is gone takes identifiers and the rest with it', async () => {
    const { engine } = ground
    const { id } = await testSubjects(engine).create(byTest(tenant), aPatient({ mrn: 'M-half' }))
    await engine.db.pool.query(
      `update engine.data_key set wrapped = null, destroyed_at = now(), destroyed_xid = pg_current_xact_id() where owner = $1`,
      [id],
    )
    expect(await reapplyErasures(engine, [], [])).toBe(1)
    expect(await reapplyErasures(engine, [], [await exportLedger(engine)])).toBe(0)
    const { rows } = await engine.db.pool.query('select from tenant.subject_identifier where subject_id = $1', [id])
    expect(rows).toEqual([])
    expect((await exportLedger(engine)).entries.at(-1)).toMatchObject({ subject: id })
  })
})
