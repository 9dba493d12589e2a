/**
 * Stage `quarantine`: what the log says was set aside becomes rows that people list, count and replay. The cursor moves in the
 * same transaction, so every set-aside frame is there once.
 */
import type { FrameQuarantined } from '@careloop/contract'
import {
  type Engine,
  type EngineTx,
  type FoundEntry,
  followLog,
  type LogFollower,
  type Stage,
} from '../../engine/index.ts'
import type { IngestTables } from '../schema.ts'

const PARTITION = 0
const CURSOR = `quarantine:${PARTITION}`

export const quarantineStage: Stage = {
  name: 'quarantine',
  async start(engine) {
    const stopping = new AbortController()
    const running = run(engine, stopping.signal)
    return async () => {
      stopping.abort()
      await running
    }
  },
}

async function run(engine: Engine, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    try {
      await followLog(engine, setAsides(engine), signal)
    } catch (error) {
      // Another process moved the cursor, or the database is away: begin again from what is stored.
      engine.watch.log.warn({ err: error }, 'quarantine: could not take in what was set aside; trying again')
      await engine.clock.sleep(500, signal)
    }
  }
}

const setAsides = (engine: Engine): LogFollower => ({
  cursor: CURSOR,
  wants: (entry) => entry.kind === 'quarantined',
  async take(tx, found) {
    for (const [tenant, held] of byTenant(found)) await insertAll(engine, tx, tenant, held)
  },
})

interface Held {
  readonly entry: FrameQuarantined
  readonly position: number
}

function byTenant(found: readonly FoundEntry[]): Map<string, Held[]> {
  const tenants = new Map<string, Held[]>()
  for (const { position, entry } of found) {
    if (entry.kind !== 'quarantined') continue
    const list = tenants.get(entry.tenant) ?? []
    list.push({ entry, position })
    tenants.set(entry.tenant, list)
  }
  return tenants
}

async function insertAll(engine: Engine, tx: EngineTx, tenant: string, held: readonly Held[]): Promise<void> {
  const key = await engine.keys.keyFor('quarantine', tenant)
  await tx.asTenant(tenant, async (tenantTx) => {
    const rows = held.map(({ entry, position }) => ({
      tenant_id: tenant,
      id: entry.id,
      device_id: entry.device ?? null,
      reason: entry.reason,
      door: entry.door,
      format: entry.frame.format,
      received_at: entry.receivedAt,
      position,
      bytes: entry.frame.bytes.byteLength,
      key_id: key.id,
      body: key.seal(asideToBytes(entry), quarantineAad(entry.id)),
      status: 'held' as const,
      settled_at: null,
      outcome: null,
    }))
    for (let i = 0; i < rows.length; i += 500)
      await tenantTx
        .tables<IngestTables>()
        .insertInto('quarantine')
        .values(rows.slice(i, i + 500))
        .execute()
    for (const { entry } of held)
      await tenantTx.publish({ type: 'FrameQuarantined', quarantine: entry.id, reason: entry.reason })
  })
}

export const quarantineAad = (id: string) => `quarantine:${id}`

/** What is sealed: a topic may hold a device's name, a pointer a word of its payload. */
export interface SealedAside {
  readonly topic?: string
  readonly pointer: string
  readonly message: string
  /** The device's clock as it was held to be when the frame came. */
  readonly clockEpoch?: number
  readonly clockOffsetMs?: number
  readonly bytes: Buffer
}

function asideToBytes({ topic, pointer, message, clockEpoch, clockOffsetMs, frame }: FrameQuarantined): Buffer {
  const bytes = Buffer.from(frame.bytes).toString('base64')
  return Buffer.from(JSON.stringify({ topic, pointer, message, clockEpoch, clockOffsetMs, bytes }))
}

export function asideFromBytes(bytes: Uint8Array): SealedAside {
  const { bytes: base64, ...rest } = JSON.parse(Buffer.from(bytes).toString()) as Omit<SealedAside, 'bytes'> & {
    bytes: string
  }
  return { ...rest, bytes: Buffer.from(base64, 'base64') }
}
