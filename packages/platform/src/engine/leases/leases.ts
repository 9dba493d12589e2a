/**
 * Leases on PostgreSQL: one process at a time does a job. The holder keeps it by heartbeat and gives up by its own monotonic
 * watch before the database would give it to another. What a paused holder still writes is refused by `assertHeld`.
 */

import type { Pool } from 'pg'
import { makeStopwatch, type Stopwatch } from '../clock/stopwatch.ts'
import { engineFailure } from '../errors.ts'
import type { EngineTx, Ids, Lease, Leases, Watch } from '../ports.ts'

export interface LeasesParts {
  /** Its own small pool is better: a heartbeat that waits behind busy transactions loses the lease. */
  readonly pool: Pool
  readonly ids: Pick<Ids, 'uuid'>
  readonly watch: Pick<Watch, 'log'>
  readonly stopwatch?: Stopwatch
}

/** Share of the time to live that the holder leaves unused, for what it began just before it gave up. */
const MARGIN = 1 / 6

// A transaction that asserted the lease holds the shared lock until it ends. Taking over needs the exclusive one, so no takeover
// can slip between a check and its commit; heartbeats need neither. A row lock would block the holder's own heartbeat.
const LOCK_KEY = `hashtextextended('careloop lease ' || $1, 0)`
const ACQUIRE = `
  with free as materialized (select pg_try_advisory_xact_lock(${LOCK_KEY}) as ok)
  insert into engine.lease as l (name, token, holder, expires_at)
  select $1, 1, $2, clock_timestamp() + $3 * interval '1 ms' from free where ok
  on conflict (name) do update
     set token = l.token + 1, holder = excluded.holder, expires_at = excluded.expires_at
   where l.expires_at <= clock_timestamp()
  returning token::text`
const RENEW = `
  update engine.lease set expires_at = clock_timestamp() + $4 * interval '1 ms'
   where name = $1 and token = $2 and holder = $3`
const RELEASE = `update engine.lease set expires_at = clock_timestamp() where name = $1 and token = $2 and holder = $3`

export function makeLeases(parts: LeasesParts): Leases {
  const { pool, ids } = parts
  const stopwatch = parts.stopwatch ?? makeStopwatch()
  return {
    async acquire(name, ttlMs) {
      const holder = ids.uuid()
      const asked = stopwatch.elapsedMs() // the database's time to live begins later than this
      const { rows } = await pool.query<{ token: string }>(ACQUIRE, [name, holder, ttlMs])
      if (!rows[0]) return null
      return new HeldLease({ ...parts, stopwatch }, { name, holder, ttlMs, token: Number(rows[0].token) }, asked)
    },
  }
}

interface Claim {
  readonly name: string
  readonly holder: string
  readonly ttlMs: number
  readonly token: number
}

class HeldLease implements Lease {
  readonly name: string
  readonly token: number
  readonly #parts: LeasesParts & { readonly stopwatch: Stopwatch }
  readonly #claim: Claim
  readonly #lost = new AbortController()
  /** When the holder gives up unless it renews, on the stopwatch. */
  #deadline: number
  #cancelDeadline = () => {}
  #cancelBeat = () => {}

  constructor(parts: LeasesParts & { readonly stopwatch: Stopwatch }, claim: Claim, asked: number) {
    this.#parts = parts
    this.#claim = claim
    this.name = claim.name
    this.token = claim.token
    this.#deadline = asked + claim.ttlMs * (1 - MARGIN)
    this.#armDeadline()
    this.#armBeat()
  }

  get signal(): AbortSignal {
    return this.#lost.signal
  }

  async release(): Promise<void> {
    this.#end('released')
    const { name, token, holder } = this.#claim
    await this.#parts.pool.query(RELEASE, [name, token, holder])
  }

  async assertHeld(tx: EngineTx): Promise<void> {
    if (this.#lost.signal.aborted) throw leaseLost(this.name)
    // Two statements: the second must see what was committed while the first waited for a takeover.
    await tx.client.query(`select pg_advisory_xact_lock_shared(${LOCK_KEY})`, [this.name])
    const { rows } = await tx.client.query<{ token: string }>(
      'select token::text from engine.lease where name = $1 and token = $2 and holder = $3',
      [this.name, this.token, this.#claim.holder],
    )
    if (rows.length === 1) return
    this.#end('taken over')
    throw leaseLost(this.name)
  }

  #armDeadline(): void {
    this.#cancelDeadline()
    const left = Math.max(0, this.#deadline - this.#parts.stopwatch.elapsedMs())
    this.#cancelDeadline = this.#parts.stopwatch.after(left, () => this.#end('not renewed in time'))
  }

  #armBeat(): void {
    this.#cancelBeat = this.#parts.stopwatch.after(this.#claim.ttlMs / 3, () => void this.#beat())
  }

  async #beat(): Promise<void> {
    const { name, token, holder, ttlMs } = this.#claim
    const asked = this.#parts.stopwatch.elapsedMs()
    try {
      const renewed = await this.#parts.pool.query(RENEW, [name, token, holder, ttlMs])
      if (this.#lost.signal.aborted) return
      if (renewed.rowCount !== 1) return this.#end('taken over')
      this.#deadline = asked + ttlMs * (1 - MARGIN)
      this.#armDeadline()
    } catch (error) {
      if (this.#lost.signal.aborted) return
      this.#parts.watch.log.warn({ lease: name, err: error }, 'a lease could not be renewed; trying again')
    }
    this.#armBeat()
  }

  #end(why: 'released' | 'taken over' | 'not renewed in time'): void {
    this.#cancelBeat()
    this.#cancelDeadline()
    if (this.#lost.signal.aborted) return
    if (why !== 'released') this.#parts.watch.log.warn({ lease: this.name, reason: why }, 'a lease was lost')
    this.#lost.abort(leaseLost(this.name))
  }
}

function leaseLost(name: string) {
  return engineFailure(
    'lease-lost',
    `Another process holds the lease ${name} now, or this one let it go. Nothing was written.`,
  )
}
