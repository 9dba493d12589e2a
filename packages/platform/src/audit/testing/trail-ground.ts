/** A trail with batches on a database of its own, and somebody with all rights on that database. */
import { randomUUID } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type ManualClock, makeManualClock } from '../../engine/clock/manual-clock.ts'
import type { Engine, Lease } from '../../engine/index.ts'
import { testEngine } from '../../engine/testing/index.ts'
import { record } from '../record.ts'
import { readCheckpoint } from '../seal/checkpoint.ts'
import { sealBatch } from '../seal/seal-batch.ts'
import { openSigningKey, type SigningKey } from '../seal/signing-key.ts'
import { deliverDue } from '../sinks/deliver.ts'
import type { AuditSink, SinkRecord } from '../sinks/sink.ts'
import { exportTrail } from '../verify/export-trail.ts'
import type { KeptRecord, SinkRecords } from '../verify/sink-records.ts'
import { type VerifyOptions, type VerifyReport, verifyExport } from '../verify/verify-export.ts'

export interface VerifyWith extends Partial<Omit<VerifyOptions, 'sink'>> {
  /** undefined = without any. */
  readonly sink?: SinkRecords | undefined
  readonly tenant?: string
}

export interface TrailGround {
  readonly engine: Engine
  readonly url: string
  readonly clock: ManualClock
  readonly tenant: string
  readonly keyFile: string
  readonly key: SigningKey
  /** What a sink off the machine holds: nobody here can take it away. */
  readonly kept: Map<number, KeptRecord[]>
  /** Writes entries, each in a transaction of its own. */
  write(count: number, tenant?: string): Promise<void>
  /** One batch with all that was written, delivered to the sink; a minute passes. */
  seal(): Promise<number>
  /** The same, with what is there for sealing now: not what a running transaction may still precede. */
  sealNow(): Promise<number>
  /** With all rights, triggers switched off. */
  attack(...statements: string[]): Promise<void>
  verify(options?: VerifyWith): Promise<VerifyReport>
  publicKey(): Promise<string>
  /** Remembers tables, key file and sink as they are; `putBack` undoes what was done since. */
  save(): Promise<void>
  putBack(): Promise<void>
  stop(): Promise<void>
}

const TABLES = ['tenant.audit_entry', 'engine.audit_batch', 'engine.audit_delivery'] as const
const COLUMNS = `tenant_id, id, at, principal_kind, principal_id, action, outcome, resource, resource_id, subject_id, purpose,
  request_id, detail_key_id, detail, xid, times`
const PUT_BACK = (table: string) =>
  table === 'tenant.audit_entry'
    ? `insert into ${table} (${COLUMNS}) overriding system value select ${COLUMNS} from saved.audit_entry`
    : `insert into ${table} select * from saved.${table.split('.')[1]}`

/** On one connection: who attacks may use a temporary table. */
async function withAllRights(engine: Engine, statements: readonly string[]): Promise<void> {
  const client = await engine.db.pool.connect()
  try {
    for (const table of TABLES) await client.query(`alter table ${table} disable trigger all`)
    for (const sql of statements) await client.query(sql)
  } finally {
    client.release()
  }
}

/** Transactions of other tests on the same server hold back what may be sealed: waits until none is older than what was written. */
export async function settledEntries(engine: Pick<Engine, 'db'>): Promise<void> {
  for (;;) {
    const { rows } = await engine.db.pool.query(
      'select coalesce(pg_snapshot_xmin(pg_current_snapshot()) > max(xid), true) as settled from tenant.audit_entry',
    )
    if (rows[0].settled) return
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
}

const alwaysHeld: Pick<Lease, 'assertHeld'> = { assertHeld: async () => {} }

export async function trailGround(): Promise<TrailGround> {
  const clock = makeManualClock()
  const ground = await testEngine({ clock })
  const { engine } = ground
  const tenant = await ground.tenant()
  const keyFile = join(ground.dataDir, 'audit.key')
  const key = await openSigningKey(keyFile, true)
  const first = (await key.read()).signer.verifierKey
  const kept = new Map<number, KeptRecord[]>()
  let saved = { key: Buffer.alloc(0), kept: new Map(kept) }
  const sink: AuditSink = {
    name: 'elsewhere',
    isElsewhere: true,
    deliver: async (record: SinkRecord) => {
      const batch = readCheckpoint(record.checkpoint)!.batch
      kept.set(batch, [...(kept.get(batch) ?? []), record])
    },
  }
  const sealNow = async () => {
    const { batch } = await sealBatch({ engine, key, lease: alwaysHeld })
    await deliverDue(engine, sink)
    await clock.advance(60_000)
    return batch
  }
  return {
    ...{ engine, url: ground.url, clock, tenant, keyFile, key, kept },
    async write(count, whose = tenant) {
      for (let i = 0; i < count; i++)
        await engine.db.asTenant(whose, (tx) =>
          record(tx, { actor: `staff:${randomUUID()}`, action: 'read', resource: 'subject', id: randomUUID() }),
        )
    },
    async seal() {
      await settledEntries(engine)
      return sealNow()
    },
    sealNow,
    attack: (...statements) => withAllRights(engine, statements),
    async save() {
      const copies = TABLES.map((table) => `create table saved.${table.split('.')[1]} as table ${table}`)
      await withAllRights(engine, ['create schema saved', ...copies])
      saved = { key: readFileSync(keyFile), kept: new Map(kept) }
    },
    async putBack() {
      await withAllRights(
        engine,
        TABLES.flatMap((table) => [`delete from ${table}`, PUT_BACK(table)]),
      )
      writeFileSync(keyFile, saved.key)
      kept.clear()
      for (const [batch, records] of saved.kept) kept.set(batch, records)
    },
    verify({ tenant: whose, ...options } = {}) {
      const { sink: records = kept, ...rest } = options
      const chunks = exportTrail(engine, whose === undefined ? {} : { tenant: whose })
      const compared = 'sink' in options && options.sink === undefined ? {} : { sink: records }
      return verifyExport(chunks, { keys: [first], ...compared, ...rest })
    },
    publicKey: async () => (await key.read()).signer.verifierKey,
    stop: ground.stop,
  }
}
