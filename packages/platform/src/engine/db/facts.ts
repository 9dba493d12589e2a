/**
 * The outbox, read in (xid, id) order and only below the oldest running transaction, so that a slow transaction's facts are
 * never skipped. A fact's position is `<xid>:<id>`.
 */
import type { Fact, FactType } from '@careloop/contract'
import type { Pool, PoolClient } from 'pg'
import type { Logger } from 'pino'

interface FactRow {
  readonly xid: string
  readonly id: string
  readonly tenant_id: string
  readonly type: FactType
  readonly body: Fact['body']
  readonly at: Date
}

// Ordered by the table's columns and not by the answer's, which are text: there 1000 stands before 999, and whoever remembers the
// last position hears a fact again, or never.
const READ = `
  select f.xid::text, f.id::text, f.tenant_id, f.type, f.body, f.at from engine.fact f
   where (f.xid, f.id) > ($1::text::xid8, $2::bigint) and f.xid < pg_snapshot_xmin(pg_current_snapshot())
   order by f.xid, f.id limit $3`

/** Facts after a position (`'0'` = from the beginning), oldest first. */
export async function readFacts(pool: Pool, after: string, max: number): Promise<Fact[]> {
  const [xid, id] = after.split(':')
  const { rows } = await pool.query<FactRow>(READ, [xid || '0', id ?? '0', max])
  return rows.map((row) => ({
    position: `${row.xid}:${row.id}`,
    tenant: row.tenant_id,
    type: row.type,
    body: row.body,
    at: row.at.getTime(),
  }))
}

export interface FactFeed {
  subscribe(types: readonly FactType[] | 'all', fn: (fact: Fact) => void): () => void
  close(): Promise<void>
}

interface Subscriber {
  readonly types: ReadonlySet<FactType> | null
  readonly fn: (fact: Fact) => void
}

/** ms between looks for a fact that was notified and still hides behind a transaction that runs; then the steady look. */
const hiddenMs = [2, 4, 8, 16, 32, 64, 128]

/**
 * Tells subscribers of facts from now on. Wakes by NOTIFY, which names the transaction that wrote: its facts may hide behind
 * another one that still runs, and then a page or a task waits for it, so it is looked for again at once. Looks every 500 ms
 * besides, because a notification can be lost with its connection.
 */
export function makeFactFeed(pool: Pool, log: Logger): FactFeed {
  const subscribers = new Set<Subscriber>()
  let closed = false
  // Asked for at once: a subscriber that comes a moment later hears everything from its call on, perhaps a little before it.
  const began = newest(pool)
  began.catch(() => {})
  let position: string | undefined
  /** Newest transaction that notified. */
  let wanted = 0n
  let misses = 0
  let listener: PoolClient | undefined
  let busy: Promise<void> | undefined
  let again = false
  let timer: NodeJS.Timeout | undefined

  const deliver = (fact: Fact) => {
    for (const subscriber of subscribers) {
      if (subscriber.types && !subscriber.types.has(fact.type)) continue
      try {
        subscriber.fn(fact)
      } catch (error) {
        log.error({ err: error, fact: fact.type }, 'a subscriber of facts failed')
      }
    }
  }

  const look = async () => {
    if (position === undefined) position = await began.catch(() => newest(pool))
    for (;;) {
      const facts = await readFacts(pool, position, 500)
      for (const fact of facts) deliver(fact)
      position = facts.at(-1)?.position ?? position
      if (facts.length < 500) return
    }
  }

  const wake = (): void => {
    if (closed || subscribers.size === 0) return
    if (busy) {
      again = true
      return
    }
    busy = look()
      .catch((error: Error) => log.warn({ err: error }, 'facts could not be read; trying again'))
      .finally(() => {
        busy = undefined
        const isHidden = wanted > BigInt(position?.split(':')[0] ?? '0')
        misses = isHidden ? misses + 1 : 0
        if (again) setTimeout(wake, 5).unref()
        else if (isHidden && misses <= hiddenMs.length) setTimeout(wake, hiddenMs[misses - 1]).unref()
        again = false
      })
  }

  const listen = async () => {
    if (closed || listener) return
    const client = await pool.connect()
    // Closed meanwhile, or another call was quicker.
    if (closed || listener) return client.release()
    listener = client
    client.on('notification', ({ payload }) => {
      const xid = BigInt(payload ?? '0')
      if (xid > wanted) wanted = xid
      misses = 0
      wake()
    })
    client.on('error', () => giveBack(client))
    await client.query('listen careloop_fact').catch(() => giveBack(client))
  }

  /** Once: a connection may break after it was given back, and a second release would end the process. */
  const giveBack = (client: PoolClient) => {
    if (listener !== client) return
    listener = undefined
    client.removeAllListeners('notification')
    client.release(true)
  }

  const begin = () => {
    if (timer) return
    timer = setInterval(() => {
      if (!listener) listen().catch(() => {})
      wake()
    }, 500)
    timer.unref()
    listen().catch(() => {})
    wake()
  }

  return {
    subscribe(types, fn) {
      const subscriber: Subscriber = { types: types === 'all' ? null : new Set(types), fn }
      subscribers.add(subscriber)
      begin()
      return () => void subscribers.delete(subscriber)
    },
    async close() {
      closed = true
      clearInterval(timer)
      await busy
      if (listener) giveBack(listener)
    },
  }
}

/** The newest fact that no running transaction can still precede; what comes later is `from now on`. */
async function newest(pool: Pool): Promise<string> {
  const { rows } = await pool.query<{ xid: string; id: string }>(
    'select f.xid::text, f.id::text from engine.fact f where f.xid < pg_snapshot_xmin(pg_current_snapshot()) order by f.xid desc, f.id desc limit 1',
  )
  return rows[0] ? `${rows[0].xid}:${rows[0].id}` : '0'
}
