import { randomUUID } from 'node:crypto'
import { readFileSync, statSync, writeFileSync } from 'node:fs'
import { Registry } from 'prom-client'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { auditHealth, auditTrouble, record, sealDetail } from './index.ts'
import { leafHash } from './merkle/tree.ts'
import { beginAnew } from './seal/begin-anew.ts'
import { openCheckpoint, readCheckpoint } from './seal/checkpoint.ts'
import { sealBatch } from './seal/seal-batch.ts'
import { openSigningKey, type SigningKey } from './seal/signing-key.ts'
import { ageGauge } from './sinks/acknowledged.ts'
import { settledEntries, type TrailGround, trailGround } from './testing/trail-ground.ts'
import { type ExportRange, exportTrail } from './verify/export-trail.ts'
import { proveEntry, wrongWithProof } from './verify/prove.ts'
import { verifyExport } from './verify/verify-export.ts'

let ground: TrailGround
/** Batches 0 to 4 with 3, 5, 0, 4 and 2 entries. */
beforeAll(async () => {
  ground = await trailGround()
  for (const entries of [3, 5, 0, 4, 2]) {
    await ground.write(entries)
    await ground.seal()
  }
  await ground.save()
})
afterEach(() => ground.putBack())
afterAll(() => ground.stop())

/** The id of an entry by its place in the order of writing. */
const idAt = async (place: number) => {
  const { rows } = await ground.engine.db.pool.query('select id from tenant.audit_entry order by xid, id')
  return String(rows[place].id)
}
const timeOf = (batch: number) => readCheckpoint(ground.kept.get(batch)![0]!.checkpoint)!.time

describe('a trail as it was written', () => {
  it('verifies, with what was written since told as unsealed', async () => {
    await ground.write(2)
    const report = await ground.verify()
    expect(report).toMatchObject({
      finding: null,
      batches: 5,
      entries: 14,
      unsealed: 2,
      longestGapMs: 60_000,
      notes: ['The export ends with batch 4; the newest that the sink has is 4.'],
    })
    expect(await ground.verify({ sink: undefined })).toMatchObject({
      finding: null,
      notes: [expect.stringContaining('Nothing was compared with a sink')],
    })
  })

  it('goes on beyond the tenth batch, in the order of numbers and not of words', async () => {
    for (let batch = 5; batch < 13; batch++) {
      await ground.write(1)
      expect(await ground.seal()).toBe(batch)
    }
    expect([...ground.kept.keys()]).toEqual(Array.from({ length: 13 }, (_, batch) => batch))
    expect(await ground.verify()).toMatchObject({ finding: null, batches: 13, entries: 22, unsealed: 0 })
  })

  it('is signed also when nothing came', () => {
    const [before, empty] = [1, 2].map((batch) => readCheckpoint(ground.kept.get(batch)![0]!.checkpoint)!)
    expect(empty).toMatchObject({ size: before!.size, root: before!.root })
    expect(empty!.time).toBe(before!.time + 60_000)
  })

  it('skips no slow transaction, and none that came while it ran', async () => {
    const { engine, tenant } = ground
    const slow = await engine.db.pool.connect()
    await slow.query('begin')
    await slow.query(`set local role careloop_app; set local careloop.tenant = '${tenant}'`)
    const tx = {
      tenant,
      client: slow,
      write: (writer: (...asked: unknown[]) => Promise<void>, rows: unknown) => writer(tx, rows),
    }
    await record(tx as never, { actor: 'cli', action: 'create', resource: 'device' })
    await ground.write(3)
    await ground.sealNow()
    expect(await ground.verify()).toMatchObject({ finding: null, entries: 14, unsealed: 3 })
    await slow.query('commit')
    slow.release()
    await ground.seal()
    expect(await ground.verify()).toMatchObject({ finding: null, entries: 18, unsealed: 0 })
  })

  it('a range of it verifies by itself', async () => {
    const lines = await exported({ from: timeOf(2), to: timeOf(4) })
    expect(await verified(lines)).toMatchObject({ finding: null, batches: 2, entries: 4 })
  })

  it('verifies for one organisation, which sees of others hashes only', async () => {
    const other = await ground.engine.db.asEngine(async (tx) => {
      const id = randomUUID()
      await tx.client.query('insert into engine.tenant (id, name) values ($1, $2)', [id, id])
      return id
    })
    await ground.write(2, other)
    await ground.seal()
    const report = await ground.verify({ tenant: other })
    expect(report).toMatchObject({ finding: null, batches: 6, entries: 16 })
    const lines = await exported({ tenant: other })
    expect(lines.join('')).not.toContain(ground.tenant)
    expect(lines.filter((line) => line.startsWith('['))).toHaveLength(2)
  })

  it('keeps verifying when a person was erased: leaves hold hashes of ciphertext', async () => {
    const { engine, tenant } = ground
    const subject = randomUUID()
    const key = await engine.keys.keyFor('subject', subject)
    await engine.db.asTenant(tenant, (tx) =>
      record(tx, {
        actor: 'cli',
        action: 'read',
        resource: 'subject',
        id: subject,
        detail: sealDetail(tx, key, { q: 'x' }),
      }),
    )
    await ground.seal()
    await engine.db.asEngine((tx) => engine.keys.destroy(tx, key.id))
    expect(await ground.verify()).toMatchObject({ finding: null, entries: 15 })
  })

  it('tells each entry by the database what time, number and transaction it has, never by the application', async () => {
    for (const column of ['id', 'at', 'xid']) {
      const forged = ground.engine.db.asTenant(ground.tenant, (tx) =>
        tx.client.query(
          `insert into tenant.audit_entry (tenant_id, ${column}, principal_kind, principal_id, action, outcome, resource, purpose)
           ${column === 'id' ? 'overriding system value' : ''}
           values ($1, ${column === 'at' ? 'now()' : `'1'`}, 'cli', 'cli', 'read', 'success', 'device', 'TREAT')`,
          [ground.tenant],
        ),
      )
      await expect(forged).rejects.toMatchObject({ code: '42501' })
    }
    const batches = ground.engine.db.asTenant(ground.tenant, (tx) => tx.client.query('select from engine.audit_batch'))
    await expect(batches).rejects.toMatchObject({ code: '42501' })
  })
})

describe('with all rights on the database, verify names the first', () => {
  it('entry that was altered, and after when', async () => {
    const id = await idAt(5)
    await ground.attack(`update tenant.audit_entry set action = 'create' where id = ${id}`)
    await ground.attack(`update tenant.audit_entry set action = 'create' where id = ${await idAt(11)}`)
    const { finding } = await ground.verify()
    expect(finding).toMatchObject({ kind: 'altered', batch: 1, entry: { index: 2, id }, after: timeOf(1) })
  })

  it.each([
    ['at', `at = at - interval '1 second'`],
    ['who', `principal_id = 'somebody'`],
    ['outcome', `outcome = 'failed'`],
    ['what', `resource_id = 'another'`],
    ['whom', 'subject_id = gen_random_uuid()'],
    ['whose', 'tenant_id = gen_random_uuid()'],
    ['why', `purpose = 'ETREAT'`],
    ['request', `request_id = 'r'`],
    ['detail', `detail = '\\x00', detail_key_id = gen_random_uuid()`],
    ['count', 'times = 9'],
  ])('entry of which %s was altered', async (_, change) => {
    await ground.attack(`update tenant.audit_entry set ${change} where id = ${await idAt(9)}`)
    expect((await ground.verify()).finding).toMatchObject({ kind: 'altered', batch: 3, entry: { index: 1 } })
  })

  it('entry that was removed, and between which it stood', async () => {
    const [before, gone, after] = [await idAt(3), await idAt(4), await idAt(5)]
    await ground.attack(`delete from tenant.audit_entry where id = ${gone}`)
    const { finding } = await ground.verify()
    expect(finding).toMatchObject({ kind: 'removed', batch: 1, entry: { index: 1, id: null } })
    expect(finding!.words).toContain(`between entries ${before} and ${after}`)
  })

  it('entry that was slipped in behind', async () => {
    await ground.attack(
      `insert into tenant.audit_entry overriding system value
       select tenant_id, 9999, at, principal_kind, principal_id, action, outcome, resource, resource_id, subject_id, purpose,
              request_id, detail_key_id, detail, xid, times from tenant.audit_entry where id = ${await idAt(1)}`,
    )
    expect((await ground.verify()).finding).toMatchObject({ kind: 'added', batch: 0, entry: { index: 2, id: '9999' } })
  })

  it('entry of two that were exchanged', async () => {
    const [a, b] = [await idAt(8), await idAt(10)]
    const place = (of: string) => `(select xid from o where id = ${of})`
    await ground.attack(
      'create temp table o as select id, xid from tenant.audit_entry',
      'alter table tenant.audit_entry alter column id set generated by default',
      `update tenant.audit_entry set id = -1 where id = ${a}`,
      `update tenant.audit_entry set id = ${a}, xid = ${place(a)} where id = ${b}`,
      `update tenant.audit_entry set id = ${b}, xid = ${place(b)} where id = -1`,
      'drop table o',
    )
    // The leaf holds transaction and number, by which entries are ordered: one that stands elsewhere says something else.
    expect((await ground.verify()).finding).toMatchObject({ kind: 'altered', batch: 3, entry: { index: 0 } })
  })

  it('entry of two that were exchanged in the export', async () => {
    const lines = await exported()
    const place = lines.findIndex((line) => line.includes('batch 1\\n')) - 3
    ;[lines[place], lines[place + 1]] = [lines[place + 1]!, lines[place]!]
    expect((await verified(lines)).finding).toMatchObject({ kind: 'reordered', batch: 1, entry: { index: 2 } })
  })

  it('batch whose leaf hashes were changed with its entry: the sink still tells which entry', async () => {
    const id = await idAt(5)
    await ground.attack(
      `update tenant.audit_entry set action = 'create' where id = ${id}`,
      `update engine.audit_batch set leaves = decode(repeat('00', 32 * 5), 'hex') where number = 1`,
    )
    expect((await ground.verify()).finding).toMatchObject({ kind: 'altered', batch: 1, entry: { index: 2, id } })
    expect((await ground.verify({ sink: new Map() })).finding).toMatchObject({ kind: 'altered', batch: 1 })
  })

  it('batch that was removed', async () => {
    await ground.attack('delete from engine.audit_batch where number = 3')
    expect((await ground.verify()).finding).toMatchObject({ kind: 'removed', batch: 3 })
  })

  it('batches that were exchanged', async () => {
    const number = (from: number, to: number) => `update engine.audit_batch set number = ${to} where number = ${from}`
    await ground.attack(number(1, -1), number(3, 1), number(-1, 3))
    expect((await ground.verify()).finding).toMatchObject({ kind: 'reordered', batch: 1 })
  })

  it('batch of a tail that was cut off, by what the sink holds', async () => {
    const last = await idAt(7)
    await ground.attack(
      'delete from engine.audit_batch where number >= 2',
      `delete from tenant.audit_entry where id > ${last}`,
    )
    expect((await ground.verify()).finding).toMatchObject({ kind: 'truncated', batch: 2, after: timeOf(4) })
    // Nobody else can tell: the claim needs a sink.
    expect((await ground.verify({ sink: new Map() })).finding).toBeNull()
  })

  it('batch of a tail that was cut off while the server went on: the next checkpoint says so itself', async () => {
    await ground.attack('delete from engine.audit_batch where number >= 3')
    await ground.write(1)
    expect(await ground.seal()).toBe(5)
    const { finding } = await ground.verify({ sink: new Map() })
    expect(finding).toMatchObject({ kind: 'truncated', batch: 3 })
    const restored = await ground.verify({ restored: [{ first: 3, last: 4 }] })
    expect(restored).toMatchObject({
      finding: null,
      notes: expect.arrayContaining([expect.stringContaining('3 to 4')]),
    })
  })

  it('batch of a tree that was built anew and signed by another key', async () => {
    await rebuild(await openSigningKey(`${ground.keyFile}.forged`, true))
    expect((await ground.verify()).finding).toMatchObject({ kind: 'rebuilt', batch: 0 })
    expect((await ground.verify({ sink: new Map() })).finding).toMatchObject({ kind: 'rebuilt', batch: 0 })
  })

  it('batch of a tree that was built anew and signed by the stolen key, by what the sink holds', async () => {
    const stolen = `${ground.keyFile}.stolen`
    writeFileSync(stolen, readFileSync(ground.keyFile, 'utf8').replace(/^last.*\n/m, ''), { mode: 0o600 })
    const first = timeOf(0)
    await rebuild(await openSigningKey(stolen, false))
    expect((await ground.verify()).finding).toMatchObject({ kind: 'rebuilt', batch: 0, after: first })
  })

  /** Takes one entry out and builds the whole tree from what is left, as the sealer would. */
  async function rebuild(key: SigningKey) {
    await settledEntries(ground.engine)
    await ground.attack(`delete from tenant.audit_entry where id = ${await idAt(1)}`, 'delete from engine.audit_batch')
    for (let i = 0; i < 5; i++)
      await sealBatch({ engine: ground.engine, key, lease: { assertHeld: async () => {} }, maxEntries: 3 })
  }

  it('batch whose checkpoint was changed', async () => {
    await ground.attack(
      `update engine.audit_batch set checkpoint = replace(checkpoint, 'batch 2', 'batch 2 ') where number = 2`,
    )
    expect((await ground.verify()).finding).toMatchObject({ kind: 'rebuilt', batch: 2 })
  })

  it('an export that was cut short', async () => {
    const lines = await exported()
    expect((await verified(lines.slice(0, -3))).finding).toMatchObject({ kind: 'unreadable' })
    expect((await verified(lines.slice(1))).finding).toMatchObject({ kind: 'unreadable' })
    expect((await verified(lines)).finding).toBeNull()
  })
})

const exported = async (range: ExportRange = {}) => {
  const lines: string[] = []
  for await (const line of exportTrail(ground.engine, range)) lines.push(line)
  return lines
}
const verified = async (lines: readonly string[]) => {
  async function* chunks() {
    // Cut anywhere: a file is read in pieces that know nothing of lines.
    const text = Buffer.from(lines.join(''))
    for (let at = 0; at < text.byteLength; at += 1_000) yield text.subarray(at, at + 1_000)
  }
  return verifyExport(chunks(), { keys: [await ground.publicKey()], sink: ground.kept })
}

describe('what waits for its seal', () => {
  it('is signed, measured and told while a transaction stays open, and what waited is not called late', async () => {
    const { engine, kept } = ground
    const slow = await engine.db.pool.connect()
    await slow.query('begin')
    await slow.query('select pg_current_xact_id()')
    for (let minute = 0; minute < 8; minute++) {
      await ground.write(1)
      await ground.sealNow()
    }
    const note = readCheckpoint(kept.get(12)![0]!.checkpoint)!
    expect(note).toMatchObject({ size: 14, waiting: timeOf(4) })
    const health = await auditHealth(engine.db.pool)
    expect(health.waitingSince).toBe(timeOf(4))
    expect(auditTrouble(health, { now: note.time, since: 0 })).toContain('a transaction stays open')
    const metrics = await waitingGauge()
    expect(metrics).toBe((ground.clock.now() - timeOf(4)) / 1000)
    await slow.query('rollback')
    slow.release()
    await ground.attack(
      `update tenant.audit_entry set at = '${new Date(timeOf(4)).toISOString()}' where id = ${await idAt(14)}`,
    )
    await ground.seal()
    const after = await ground.verify()
    expect(after).toMatchObject({ finding: null, entries: 22, unsealed: 0 })
    expect(after.notes).toContainEqual(
      expect.stringContaining(`Entries waited up to ${(note.time - timeOf(4)) / 60_000} min`),
    )
    expect((await auditHealth(engine.db.pool)).waitingSince).toBeNull()
  })

  it('and says an older time than it can have is named: late, how many and the worst', async () => {
    await ground.write(3)
    await ground.attack(
      `update tenant.audit_entry set at = '2024-01-05T08:00:00Z' where id = ${await idAt(14)}`,
      `update tenant.audit_entry set at = '2025-01-05T08:00:00Z' where id = ${await idAt(15)}`,
    )
    await ground.seal()
    const { finding } = await ground.verify()
    expect(finding).toMatchObject({ kind: 'late', batch: 5, after: timeOf(4) })
    expect(finding!.words).toContain(`2 entries were sealed long after`)
    expect(finding!.words).toContain(`entry ${await idAt(14)} of batch 5, which says 2024-01-05T08:00:00.000Z`)
  })

  it('is not passed over: a batch that was changed is not sealed upon, and it says what stood there', async () => {
    const changes = [
      `last_xid = '9000000000000000000'`,
      'last_id = last_id + 1',
      'tree_size = tree_size + 1',
      `frontier = decode(repeat('00', length(frontier)), 'hex')`,
      `checkpoint = (select checkpoint from engine.audit_batch where number = 2)`,
    ]
    const copy = readFileSync(ground.keyFile, 'utf8').replace(/^last.*\n/m, '')
    for (const change of changes) {
      await ground.attack(`update engine.audit_batch set ${change} where number = 4`)
      await ground.write(1)
      const refused = { code: 'audit-trail-cut', message: expect.stringContaining('Batch 4') }
      await expect(ground.seal()).rejects.toMatchObject(refused)
      // Also by a machine that has the key and did not sign it.
      writeFileSync(`${ground.keyFile}.other`, copy, { mode: 0o600 })
      const key = await openSigningKey(`${ground.keyFile}.other`, false)
      await expect(
        sealBatch({ engine: ground.engine, key, lease: { assertHeld: async () => {} } }),
      ).rejects.toMatchObject(refused)
      await ground.putBack()
    }
    // Batches between are known to who signed them last.
    await ground.attack(
      'delete from engine.audit_batch where number = 4',
      `insert into engine.audit_batch select 9, entries, tree_size, last_xid, last_id, leaves, frontier, replace(checkpoint, 'batch 3', 'batch 9')
         from engine.audit_batch where number = 3`,
    )
    await expect(ground.seal()).rejects.toMatchObject({ code: 'audit-trail-cut' })
    expect(ground.kept.size).toBe(5)
  })

  it('is written, or nothing is done: a trigger that drops an entry fails the act', async () => {
    await ground.attack(
      `create function engine.drop_entry() returns trigger language plpgsql as $$ begin return null; end $$`,
      'create trigger quiet before insert on tenant.audit_entry for each row execute function engine.drop_entry()',
    )
    await expect(ground.write(1)).rejects.toMatchObject({ code: 'audit-not-written' })
    await ground.attack('drop trigger quiet on tenant.audit_entry', 'drop function engine.drop_entry()')
  })

  async function waitingGauge(): Promise<number> {
    const registry = new Registry()
    ageGauge(ground.engine, registry)
    return (await registry.getSingleMetric('careloop_audit_waiting_seconds')!.get()).values[0]!.value
  }
})

describe('an export', () => {
  it('of all organisations that keeps an entry back behind its hash is not taken for whole', async () => {
    const lines = await exported()
    const place = lines.findIndex((line) => line.startsWith('['))
    lines[place] = `${JSON.stringify(leafHash(lines[place]!.trimEnd()).toString('base64'))}\n`
    expect((await verified(lines)).finding).toMatchObject({ kind: 'altered', batch: 0 })
  })

  it('says where it begins and ends, how much it does not show, and is compared with the sink from before its first batch on', async () => {
    const lines = await exported({ from: timeOf(2), to: timeOf(4) })
    expect((await verified(lines)).notes).toEqual([
      'The export begins with batch 2: what is before it was not checked.',
      'The export ends with batch 3; the newest that the sink has is 4.',
    ])
    expect((await ground.verify({ tenant: randomUUID() })).notes).toContainEqual(
      expect.stringContaining('14 entries are'),
    )
    const { signer } = await ground.key.read()
    const before = ground.kept.get(1)![0]!.checkpoint
    const forged = signer.sign(before.slice(0, before.lastIndexOf('\n\n') + 1).replace(/previous .*/, 'previous x'))
    lines[0] = lines[0]!.replace(JSON.stringify(before), JSON.stringify(forged))
    expect((await verified(lines)).finding).toMatchObject({ kind: 'rebuilt', batch: 1 })
  })
})

describe('the key that signs', () => {
  it('is refused where another machine has rotated it and this one has an old copy', async () => {
    writeFileSync(`${ground.keyFile}.stale`, readFileSync(ground.keyFile), { mode: 0o600 })
    await ground.key.announce()
    for (let batch = 0; batch < 2; batch++) {
      await ground.write(1)
      await ground.seal()
    }
    const key = await openSigningKey(`${ground.keyFile}.stale`, false)
    const sealed = sealBatch({ engine: ground.engine, key, lease: { assertHeld: async () => {} } })
    await expect(sealed).rejects.toMatchObject({ code: 'audit-key-foreign' })
  })

  it('begins anew when it is lost: told, and believed only where the sink holds that checkpoint', async () => {
    const [old, path] = [await ground.publicKey(), `${ground.keyFile}.anew`]
    const { verifierKey: fresh } = await beginAnew(ground.engine, path, 'the disk\nburnt')
    await expect(beginAnew(ground.engine, path, 'again')).rejects.toMatchObject({ code: 'audit-key-there' })
    const key = await openSigningKey(path, false)
    await ground.write(1)
    await settledEntries(ground.engine)
    const parts = { engine: ground.engine, key, lease: { assertHeld: async () => {} } }
    for (let batch = 0; batch < 2; batch++) await sealBatch(parts)
    expect((await key.read()).anew).toBeUndefined()
    const forged = await ground.verify({ keys: [old] })
    expect(forged.finding).toMatchObject({ kind: 'rebuilt', batch: 5 })
    const { rows } = await ground.engine.db.pool.query('select checkpoint from engine.audit_batch where number = 5')
    ground.kept.set(5, [{ checkpoint: rows[0].checkpoint }])
    const told = await ground.verify({ keys: [old] })
    expect(told).toMatchObject({ finding: null, batches: 7 })
    expect(told.notes).toContainEqual(expect.stringMatching(/From batch 5 on, .* "the disk burnt"\. Ask who did that/))
    expect(told.notes.join()).toContain(fresh)
    expect(await ground.verify({ keys: [old, fresh] })).toMatchObject({ finding: null })
  })

  it('lies outside the database, readable by the server only, and is nowhere in it', async () => {
    expect(statSync(ground.keyFile).mode & 0o777).toBe(0o600)
    const seed = /^key (.+)$/m.exec(readFileSync(ground.keyFile, 'utf8'))![1]!
    const { rows } = await ground.engine.db.pool.query('select checkpoint from engine.audit_batch')
    expect(JSON.stringify(rows)).not.toContain(seed)
    const asApp = ground.engine.db.asTenant(ground.tenant, (tx) =>
      tx.client.query('select pg_read_file($1)', [ground.keyFile]),
    )
    await expect(asApp).rejects.toMatchObject({ code: '42501' })
  })

  it('is followed by one that it announced, and by no other', async () => {
    const old = await ground.publicKey()
    const announced = await ground.key.announce()
    await ground.write(1)
    await ground.seal()
    await ground.write(1)
    await ground.seal()
    expect(await ground.publicKey()).toBe(announced)
    expect(announced).not.toBe(old)
    expect(openCheckpoint(ground.kept.get(6)![0]!.checkpoint, announced)).toMatchObject({ batch: 6 })
    expect(await ground.verify({ keys: [old] })).toMatchObject({ finding: null, batches: 7 })
    // Who knows the new key only cannot follow the trail from before it.
    expect((await ground.verify({ keys: [announced] })).finding).toMatchObject({ kind: 'rebuilt', batch: 0 })
    await ground.attack(
      `update engine.audit_batch set checkpoint = (select checkpoint from engine.audit_batch where number = 4) where number = 6`,
    )
    expect((await ground.verify({ keys: [old] })).finding).toMatchObject({ kind: 'reordered' })
  })

  it('is not made anew where it signed before, and not taken when others may read it', async () => {
    await expect(openSigningKey(`${ground.keyFile}.gone`, false)).rejects.toMatchObject({ code: 'audit-key-missing' })
    const open = `${ground.keyFile}.open`
    writeFileSync(open, readFileSync(ground.keyFile), { mode: 0o644 })
    await expect(openSigningKey(open, false)).rejects.toMatchObject({ code: 'audit-key-unreadable' })
    writeFileSync(`${ground.keyFile}.cut`, 'log 12', { mode: 0o600 })
    const cut = await openSigningKey(`${ground.keyFile}.cut`, false)
      .then((key) => key.read())
      .catch((error) => error)
    expect(cut).toMatchObject({ code: 'audit-key-unreadable' })
  })
})

describe('a proof of one entry', () => {
  it('holds for it with the public key alone, and for nothing else', async () => {
    const keys = [await ground.publicKey()]
    for (const place of [0, 2, 3, 7, 9, 13]) {
      const proof = await proveEntry(ground.engine, await idAt(place))
      expect(wrongWithProof(proof, keys)).toBeNull()
      const other = proof.entry.replace('"read"', '"create"')
      expect(wrongWithProof({ ...proof, entry: other }, keys)).toContain('does not stand')
      expect(wrongWithProof({ ...proof, index: proof.index + 1 }, keys)).toContain('does not stand')
    }
    const proof = await proveEntry(ground.engine, await idAt(9))
    const { checkpoint } = await proveEntry(ground.engine, await idAt(1))
    expect(wrongWithProof({ ...proof, checkpoint }, keys)).toContain('does not stand')
    expect(wrongWithProof({ ...proof, previous: checkpoint }, keys)).toContain('not the one')
    expect(wrongWithProof({ ...proof, consistency: [] }, keys)).toContain('did not only grow')
    const forged = await openSigningKey(`${ground.keyFile}.forged`, true)
    expect(wrongWithProof(proof, [(await forged.read()).signer.verifierKey])).toContain('not signed by this key')
  })

  it('is refused for an entry that is not there, not sealed, or not as it was', async () => {
    const refused = { code: 'audit-entry-unknown' }
    await expect(proveEntry(ground.engine, '424242')).rejects.toMatchObject(refused)
    await ground.write(1)
    await expect(proveEntry(ground.engine, await idAt(14))).rejects.toMatchObject(refused)
    await ground.attack(`update tenant.audit_entry set action = 'create' where id = ${await idAt(3)}`)
    await expect(proveEntry(ground.engine, await idAt(3))).rejects.toMatchObject(refused)
  })
})
