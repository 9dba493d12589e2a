/** Stage `audit`: seals the trail, signs checkpoints and brings them to the sinks. */
import { Failure } from '@careloop/contract'
import type { Engine, Lease, Stage } from '../engine/index.ts'
import { safeError } from '../engine/index.ts'
import { readCheckpoint } from './seal/checkpoint.ts'
import { findKeyFile } from './seal/find-key-file.ts'
import { learnFromSink } from './seal/resume.ts'
import { sealBatch } from './seal/seal-batch.ts'
import { openSigningKey, type SigningKey } from './seal/signing-key.ts'
import { keepSealingState, type SealingState } from './sealing-state.ts'
import { ageGauge } from './sinks/acknowledged.ts'
import { deliverDue } from './sinks/deliver.ts'
import type { AuditSink } from './sinks/sink.ts'
import { type AuditSinkSettings, openAuditSink } from './sinks/sink-settings.ts'

export interface AuditStageOptions {
  readonly keyFile: string
  readonly sinks: readonly AuditSinkSettings[]
  /** Default 30 s: with a delivery that is late by half a minute, checkpoints elsewhere are still at most 60 s apart. */
  readonly everyMs?: number
}

const EVERY_MS = 30_000
const LEASE_MS = 15_000
const RETRY_MS = 5_000
const STEP_BACK_MS = 60_000
/** A sink that does not say what it has keeps the trail from being sealed for no longer. */
const PATIENCE_MS = 120_000
/** At the end of the process: the last entries are signed, and a sink has this long to take them. */
const FAREWELL_MS = 5_000

export const auditStage = (options: AuditStageOptions): Stage => ({
  name: 'audit',
  async start(engine) {
    const sinks = options.sinks.map((settings) => openAuditSink(settings, engine))
    const state = keepSealingState(engine, sinks)
    ageGauge(engine, engine.watch.metrics, state.sinks)
    // A server that cannot sign must not start and look as if it did.
    const key = await openKey(engine, options.keyFile)
    const stopping = new AbortController()
    const running = run(engine, { ...options, key, sinks, state }, stopping.signal)
    return async () => {
      stopping.abort()
      await running
    }
  },
})

/** The key of this installation; made while nothing was ever signed. @throws Failure `audit-key-missing`, `audit-key-unreadable` */
export async function openKey(engine: Pick<Engine, 'db'>, path: string): Promise<SigningKey> {
  const { rows } = await engine.db.pool.query<{ checkpoint: string }>(
    'select checkpoint from engine.audit_batch order by number desc limit 1',
  )
  const origin = rows[0] && readCheckpoint(rows[0].checkpoint)?.origin
  return openSigningKey(await findKeyFile(path, origin ?? 'none'), rows.length === 0)
}

interface Work {
  readonly key: SigningKey
  readonly sinks: readonly AuditSink[]
  readonly state: SealingState
  readonly everyMs?: number
}

async function run(engine: Engine, work: Work, stopping: AbortSignal): Promise<void> {
  for (let isOurs = true; !stopping.aborted; ) {
    const lease = await engine.leases.acquire('audit-sealer', LEASE_MS).catch(() => null)
    if (lease === null) {
      // What was wrong with the database the other process tells; that the key is foreign is true of this machine only.
      if (isOurs) work.state.trouble = null
      await engine.clock.sleep(RETRY_MS, stopping)
      continue
    }
    isOurs = await holdLease(engine, work, lease, stopping)
    await lease.release().catch(() => {})
    // Another machine may have the key that belongs here.
    if (!isOurs) await engine.clock.sleep(STEP_BACK_MS, stopping)
  }
}

/** @returns false when the key is not the one that signs here */
async function holdLease(engine: Engine, work: Work, lease: Lease, stopping: AbortSignal): Promise<boolean> {
  const over = AbortSignal.any([stopping, lease.signal])
  const deliveries = work.sinks.map((sink) => makeDelivery(engine, sink))
  if (!(await askSinks(engine, work, over))) return false
  while (!over.aborted) {
    const began = engine.clock.now()
    const sealed = await sealAll(engine, work, lease)
    if (sealed === 'foreign') return false
    for (const each of deliveries) each.go()
    const pause = sealed === 'done' ? (work.everyMs ?? EVERY_MS) - (engine.clock.now() - began) : RETRY_MS
    await engine.clock.sleep(Math.max(0, pause), over)
  }
  if (lease.signal.aborted) return true
  await sealAll(engine, work, lease)
  const late = new AbortController()
  await Promise.race([Promise.all(deliveries.map((each) => each.last())), engine.clock.sleep(FAREWELL_MS, late.signal)])
  late.abort()
  return true
}

/** Before anything is sealed: which numbers are taken. @returns false when a sink holds a newer key's checkpoints */
async function askSinks(engine: Engine, { key, sinks, state }: Work, over: AbortSignal): Promise<boolean> {
  const until = engine.clock.now() + PATIENCE_MS
  for (const sink of sinks)
    for (let asked = false; !asked && !over.aborted; ) {
      try {
        const batch = await learnFromSink(key, sink)
        if (batch !== undefined)
          engine.watch.log.warn({ sink: sink.name, batch }, 'a sink holds newer checkpoints than this key file knew of')
        asked = true
      } catch (error) {
        engine.watch.log.error({ err: safeError(error), sink: sink.name }, 'a sink did not say what it holds')
        if (isForeign(error)) {
          state.trouble = error.message
          return false
        }
        // One that lets nobody read is asked in vain: its operator says `audit resume`.
        asked = engine.clock.now() >= until || (error instanceof Failure && error.code === 'object-store-refused')
        if (!asked) await engine.clock.sleep(RETRY_MS, over)
      }
    }
  return true
}

const isForeign = (error: unknown): error is Failure => error instanceof Failure && error.code === 'audit-key-foreign'

async function sealAll(engine: Engine, { key, state }: Work, lease: Lease): Promise<'done' | 'again' | 'foreign'> {
  try {
    for (let isFull = true; isFull && !lease.signal.aborted; ) {
      const sealed = await sealBatch({ engine, key, lease })
      isFull = sealed.isFull
      if (sealed.lost)
        engine.watch.log.error(
          sealed.lost,
          'signed batches of the audit trail are gone from the database: docs/security/audit.md',
        )
    }
    state.trouble = null
    return 'done'
  } catch (error) {
    engine.watch.log.error({ err: safeError(error) }, 'the audit trail could not be sealed; it is tried again')
    if (error instanceof Failure && error.code.startsWith('audit-')) state.trouble = error.message
    return isForeign(error) ? 'foreign' : 'again'
  }
}

/** One conversation with a sink at a time; one that hangs keeps nobody else from theirs. */
function makeDelivery(engine: Engine, sink: AuditSink) {
  let current: Promise<void> | null = null
  const go = () => {
    current ??= deliverDue(engine, sink)
      .then(() => {})
      .catch((error: unknown) => {
        engine.watch.log.warn(
          { err: safeError(error), sink: sink.name },
          'a checkpoint was not delivered; it is tried again',
        )
      })
      .finally(() => {
        current = null
      })
    return current
  }
  return {
    go: () => void go(),
    async last() {
      await current
      await go()
    },
  }
}
