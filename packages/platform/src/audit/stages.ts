/** Stage `audit`: seals the trail, signs checkpoints and brings them to the sinks. */
import type { Engine, Lease, Stage } from '../engine/index.ts'
import { safeError } from '../engine/index.ts'
import { sealBatch } from './seal/seal-batch.ts'
import { openSigningKey, type SigningKey } from './seal/signing-key.ts'
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
/** At the end of the process: the last entries are signed, and a sink has this long to take them. */
const FAREWELL_MS = 5_000

export const auditStage = (options: AuditStageOptions): Stage => ({
  name: 'audit',
  async start(engine) {
    ageGauge(engine, engine.watch.metrics)
    const sinks = options.sinks.map((settings) => openAuditSink(settings, engine))
    // A server that cannot sign must not start and look as if it did.
    const key = await openKey(engine, options.keyFile)
    const stopping = new AbortController()
    const running = run(engine, { ...options, key, sinks }, stopping.signal)
    return async () => {
      stopping.abort()
      await running
    }
  },
})

/** The key of this installation; made while nothing was ever signed. @throws Failure `audit-key-missing`, `audit-key-unreadable` */
export async function openKey(engine: Pick<Engine, 'db'>, path: string): Promise<SigningKey> {
  const { rowCount } = await engine.db.pool.query('select from engine.audit_batch limit 1')
  return openSigningKey(path, rowCount === 0)
}

interface Work {
  readonly key: SigningKey
  readonly sinks: readonly AuditSink[]
  readonly everyMs?: number
}

async function run(engine: Engine, work: Work, stopping: AbortSignal): Promise<void> {
  while (!stopping.aborted) {
    const lease = await engine.leases.acquire('audit-sealer', LEASE_MS).catch(() => null)
    if (lease === null) {
      await engine.clock.sleep(RETRY_MS, stopping)
      continue
    }
    await holdLease(engine, work, lease, stopping)
    await lease.release().catch(() => {})
  }
}

async function holdLease(engine: Engine, work: Work, lease: Lease, stopping: AbortSignal): Promise<void> {
  const over = AbortSignal.any([stopping, lease.signal])
  const deliveries = work.sinks.map((sink) => makeDelivery(engine, sink))
  while (!over.aborted) {
    const began = engine.clock.now()
    const isSealed = await sealAll(engine, work.key, lease)
    for (const each of deliveries) each.go()
    const pause = isSealed ? (work.everyMs ?? EVERY_MS) - (engine.clock.now() - began) : RETRY_MS
    await engine.clock.sleep(Math.max(0, pause), over)
  }
  if (lease.signal.aborted) return
  await sealAll(engine, work.key, lease)
  const late = new AbortController()
  await Promise.race([Promise.all(deliveries.map((each) => each.last())), engine.clock.sleep(FAREWELL_MS, late.signal)])
  late.abort()
}

async function sealAll(engine: Engine, key: SigningKey, lease: Lease): Promise<boolean> {
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
    return true
  } catch (error) {
    engine.watch.log.error({ err: safeError(error) }, 'the audit trail could not be sealed; it is tried again')
    return false
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
