/**
 * Durable timers on pg-boss. A timer is taken, its handler runs and it is deleted in one transaction: nothing is left behind that
 * somebody would have to find and repair, whatever is killed when.
 */
import type { Pool } from 'pg'
import type { PgBoss } from 'pg-boss'
import { Counter, type Registry } from 'prom-client'
import type { Clock, Db, EngineTx, TenantTx, TimerIds, Timers, Watch } from '../ports.ts'
import { makeBoss, type ScriptedNow, schema, scriptTime, withinTransaction } from './boss.ts'

/** How often a process looks for timers that another process set, or whose time came, ms. */
const pollMs = 1_000
const backoffMaxMs = 60_000
/** pg-boss lets go of jobs that nobody took; ours are never let go of, but a number must be named. */
const retentionSeconds = 10 * 365 * 86_400

export interface TimersParts {
  readonly db: Pick<Db, 'asEngine'>
  /** A small pool of its own, for what is asked outside the caller's transaction. */
  readonly pool: Pool
  readonly clock: Clock
  readonly watch: Watch
  /** The clock is a test's: then the database must go by it too. */
  readonly isScripted: boolean
}

export interface ClosableTimers extends Timers {
  close(): Promise<void>
}

type Handler = Parameters<Timers['work']>[1]

export function makeTimers(parts: TimersParts): ClosableTimers {
  const { clock, pool, isScripted, db } = parts
  const scripted: ScriptedNow = isScripted ? () => clock.now() : null
  const boss = startable(parts, scripted)
  const workers = new Map<string, Worker>()

  const inTransaction = (tx: EngineTx | TenantTx, fn: (tx: EngineTx) => Promise<void>): Promise<void> => {
    if ('asTenant' in tx) return fn(tx)
    tx.beforeCommitAsEngine(fn)
    return Promise.resolve()
  }
  return {
    async set(tx, name, { key, at, ids }) {
      const started = await boss.with(name)
      await inTransaction(tx, async (engineTx) => {
        const options = { db: withinTransaction(engineTx.client, scripted), singletonKey: key, retentionSeconds }
        await started.upsert(name, payload(ids, at), { ...options, startAfter: new Date(at) })
        engineTx.afterCommit(() => at <= clock.now() && workers.get(name)?.wake())
      })
    },
    async cancel(tx, name, key) {
      const started = await boss.with(name)
      await inTransaction(tx, async (engineTx) => {
        const within = withinTransaction(engineTx.client, scripted)
        const found = await started.findJobs(name, { key, queued: true, db: within })
        if (found.length > 0)
          await started.deleteJob(
            name,
            found.map(({ id }) => id),
            { db: within },
          )
      })
    },
    work(name, handler) {
      if (workers.has(name)) throw new TypeError(`this process works on ${name} already`)
      const worker = new Worker({ ...parts, name, handler, scripted, boss: () => boss.with(name), db })
      workers.set(name, worker)
      return async () => {
        workers.delete(name)
        await worker.stop()
      }
    },
    async runDue() {
      let fired = 0
      // A handler may set a timer of another name that is due at once.
      for (let round = -1; round !== fired; ) {
        round = fired
        for (const worker of [...workers.values()]) fired += await worker.drain()
      }
      return fired
    },
    async overdue(ms) {
      const { rows } = await pool.query<{ count: string }>(
        `select count(*) from ${schema}.job where state < 'active' and start_after < $1`,
        [new Date(clock.now() - ms)],
      )
      return Number(rows[0]!.count)
    },
    async close() {
      await Promise.all([...workers.values()].map((worker) => worker.stop()))
      await boss.stop()
    },
  }
}

const payload = (ids: TimerIds, at: number) => ({ ids, at })

/** pg-boss, started at the first use, and again at the next one when that failed. */
function startable({ pool, clock, watch }: TimersParts, scripted: ScriptedNow) {
  const boss = makeBoss(pool, clock, scripted)
  // An 'error' that nobody hears would end the process; what failed is asked again anyway.
  boss.on('error', (err) => watch.log.warn({ err }, 'timers: pg-boss says'))
  const once = new Map<string, Promise<PgBoss>>()
  const remembered = (key: string, make: () => Promise<PgBoss>): Promise<PgBoss> => {
    const known = once.get(key)
    if (known !== undefined) return known
    const made = make()
    once.set(key, made)
    made.catch(() => once.delete(key))
    return made
  }
  const start = () =>
    remembered('', async () => {
      if (scripted !== null) await scriptTime(pool)
      return boss.start()
    })
  return {
    with: (name: string) =>
      remembered(name, async () => {
        const started = await start()
        await started.createQueue(name)
        return started
      }),
    async stop() {
      if (!once.has('')) return
      await once.get('')?.catch(() => {})
      await boss.stop({ graceful: false })
    },
  }
}

interface WorkerParts extends TimersParts {
  readonly name: string
  readonly handler: Handler
  readonly scripted: ScriptedNow
  readonly boss: () => Promise<PgBoss>
}

/** One lane: timers of one name, one after the other, in this process. */
class Worker {
  readonly #parts: WorkerParts
  readonly #stopping = new AbortController()
  readonly #running: Promise<void>
  /** Ends with the drain that runs; the next one waits for it. */
  #lane: Promise<unknown> = Promise.resolve()
  #wake = new AbortController()
  #isAway = false
  /** Failures in a row, by timer. */
  readonly #failures = new Map<string, number>()

  constructor(parts: WorkerParts) {
    this.#parts = parts
    this.#running = this.#run()
  }

  wake(): void {
    this.#wake.abort()
  }

  /** Fires what is due. @returns how many */
  drain(): Promise<number> {
    const drained = this.#lane.then(() => this.#drain())
    this.#lane = drained.catch(() => {})
    return drained
  }

  async stop(): Promise<void> {
    this.#stopping.abort()
    await this.#running
    await this.#lane
  }

  async #run(): Promise<void> {
    const { clock, watch, name } = this.#parts
    const stop = this.#stopping.signal
    while (!stop.aborted) {
      this.#wake = new AbortController()
      try {
        await this.drain()
        if (this.#isAway) watch.log.info({ name }, 'timers fire again')
        this.#isAway = false
      } catch (err) {
        // Once an outage, not once a second.
        if (!this.#isAway) watch.log.warn({ err, name }, 'timers could not be read; trying again every second')
        this.#isAway = true
      }
      await clock.sleep(pollMs, AbortSignal.any([stop, this.#wake.signal]))
    }
  }

  async #drain(): Promise<number> {
    let fired = 0
    while (!this.#stopping.signal.aborted && (await this.#isDue()) && (await this.#fireOne())) fired += 1
    return fired
  }

  /**
   * One statement, and no transaction of ours: a process that is paused in one (a suspended machine) hides what others write, and
   * this is asked every second.
   */
  async #isDue(): Promise<boolean> {
    const boss = await this.#parts.boss()
    const { rows } = await boss.getDb().executeSql(
      `select exists (select from ${schema}.job
          where name = $1 and state < 'active' and start_after <= ${schema}.job_now()) as due`,
      [this.#parts.name],
    )
    return (rows[0] as { due: boolean }).due
  }

  /** @returns false when nothing is due any more */
  async #fireOne(): Promise<boolean> {
    const { db, name, handler, scripted } = this.#parts
    const boss = await this.#parts.boss()
    let taken: string | undefined
    try {
      const isFired = await db.asEngine(async (tx) => {
        const within = withinTransaction(tx.client, scripted)
        const [job] = await boss.fetch<Payload>(name, { db: within, includeMetadata: true })
        if (job === undefined) return false
        taken = job.id
        await handler({ key: job.singletonKey ?? job.id, ids: job.data.ids, dueAt: job.data.at }, tx)
        await boss.deleteJob(name, job.id, { db: within })
        return true
      })
      if (taken !== undefined) this.#failures.delete(taken)
      return isFired
    } catch (err) {
      if (taken === undefined) throw err
      await this.#putOff(boss, taken, err)
      return true
    }
  }

  /** The transaction took everything back: the timer waits as before, and must not be tried in a loop. */
  async #putOff(boss: PgBoss, id: string, err: unknown): Promise<void> {
    const { clock, watch, name } = this.#parts
    const failures = (this.#failures.get(id) ?? 0) + 1
    this.#failures.set(id, failures)
    failedTotal(watch.metrics).inc({ name })
    const waitMs = Math.min(backoffMaxMs, 1_000 * 2 ** (failures - 1))
    watch.log.error({ err, name, failures, waitMs }, 'a timer failed and is tried again')
    await boss.update(name, undefined, { id, startAfter: new Date(clock.now() + waitMs) })
  }
}

interface Payload {
  readonly ids: TimerIds
  readonly at: number
}

function failedTotal(registry: Registry): Counter {
  const name = 'careloop_engine_timers_failed_total'
  const help = 'Firings of timers whose handler failed; each was taken back and is tried again'
  return (
    (registry.getSingleMetric(name) as Counter | undefined) ??
    new Counter({ name, help, labelNames: ['name'], registers: [registry] })
  )
}
