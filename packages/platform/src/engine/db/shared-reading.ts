/**
 * Short reads share a transaction. Whoever opens one record pays for a begin, an audit entry and a commit that waits for the disk;
 * twenty who come at the same time pay for them once. Entry and read stay in the same transaction: nobody is answered before the
 * commit that holds their entry. Readers join only a transaction that has not begun, so they see all that was committed before they came.
 */
import assert from 'node:assert/strict'
import type { ClientBase } from 'pg'
import type { Db, RowReader, RowWriter, TenantTx } from '../ports.ts'
import { tenantTables } from './tenant-tables.ts'

/** Transactions of one organisation at a time: while one waits for the disk, the next reads. */
const maxRunning = 2
/** Readers in one transaction: a bound for how long the first waits for the last. */
const maxTogether = 64

interface Reader {
  readonly fn: (tx: TenantTx) => Promise<unknown>
  readonly resolve: (value: unknown) => void
  readonly reject: (error: unknown) => void
}

interface Queue {
  /** In the order in which they came. */
  readonly waiting: Reader[]
  running: number
  isDue: boolean
}

export function makeSharedReading(asTenant: Db['asTenant']): Db['asTenantReading'] {
  const queues = new Map<string, Queue>()
  const arrange = (tenant: string, queue: Queue): void => {
    if (queue.running === 0 && queue.waiting.length === 0) queues.delete(tenant)
    if (queue.isDue || queue.running >= maxRunning || queue.waiting.length === 0) return
    queue.isDue = true
    // After what this turn of the event loop brings: requests that arrived together go together.
    setImmediate(() => {
      queue.isDue = false
      queue.running += 1
      void runTogether(asTenant, tenant, queue.waiting.splice(0, maxTogether)).finally(() => {
        queue.running -= 1
        arrange(tenant, queue)
      })
      arrange(tenant, queue)
    })
  }
  return <T>(tenant: string, fn: (tx: TenantTx) => Promise<T>) =>
    new Promise<T>((resolve, reject) => {
      const queue = queues.get(tenant) ?? { waiting: [], running: 0, isDue: false }
      queues.set(tenant, queue)
      queue.waiting.push({ fn, resolve: resolve as Reader['resolve'], reject })
      arrange(tenant, queue)
    })
}

/** A statement of somebody failed, and with it the transaction: each goes alone, so that only whose statement it was fails. */
class GoAlone extends Error {}

async function runTogether(asTenant: Db['asTenant'], tenant: string, readers: readonly Reader[]): Promise<void> {
  try {
    const outcomes = await asTenant(tenant, (tx) => readAll(tx, readers))
    for (const [at, outcome] of outcomes.entries())
      if (outcome.status === 'fulfilled') readers[at]!.resolve(outcome.value)
      else readers[at]!.reject(outcome.reason)
  } catch (error) {
    if (error instanceof GoAlone) await Promise.all(readers.map((reader) => runTogether(asTenant, tenant, [reader])))
    else for (const { reject } of readers) reject(error)
  }
}

async function readAll(tx: TenantTx, readers: readonly Reader[]): Promise<PromiseSettledResult<unknown>[]> {
  const ground = sharedGround(tx)
  const parts = readers.map(() => ground.part())
  const outcomes = await Promise.allSettled(readers.map(async ({ fn }, at) => fn(parts[at]!.tx)))
  const broken = ground.broken()
  if (readers.length === 1) {
    const [only] = outcomes
    if (only?.status === 'rejected') throw only.reason
    // Its commit would be a rollback that says nothing of it.
    if (broken !== undefined) throw broken.error
  } else if (broken !== undefined) throw new GoAlone()
  try {
    await writeTogether(
      tx,
      parts.filter((_, at) => outcomes[at]!.status === 'fulfilled').flatMap(({ written }) => written),
    )
  } catch (error) {
    throw readers.length === 1 ? error : new GoAlone()
  }
  return outcomes
}

interface Written {
  readonly writer: RowWriter<unknown>
  readonly rows: readonly unknown[]
}

/** One statement for what all wrote by the same writer, in the order of the readers. */
async function writeTogether(tx: TenantTx, written: readonly Written[]): Promise<void> {
  const rowsOf = new Map<RowWriter<unknown>, unknown[]>()
  for (const { writer, rows } of written) {
    const before = rowsOf.get(writer)
    if (before) before.push(...rows)
    else rowsOf.set(writer, [...rows])
  }
  for (const [writer, rows] of rowsOf) await writer(tx, rows)
}

/** The transaction as its readers hold it: each with what it writes, all with one connection and what they ask for by key. */
function sharedGround(whole: TenantTx) {
  let broken: { readonly error: unknown } | undefined
  const client = oneByOne(whole.client, (error) => {
    broken ??= { error }
  })
  const refuse = () => assert.fail('a shared reading changes and tells nothing: take asTenant')
  const readOne = readsByKey(() => ({ ...whole, client, tables: () => tenantTables(client) }))
  const part = () => {
    const written: Written[] = []
    const tx: TenantTx = {
      ...{ tenant: whole.tenant, client, tables: () => tenantTables(client), readOne },
      ...{ publish: refuse, beforeCommitAppend: refuse, beforeCommitAsEngine: refuse, afterCommit: refuse },
      async write(writer, rows) {
        written.push({ writer: writer as RowWriter<unknown>, rows })
      },
    }
    return { tx, written }
  }
  return { part, broken: () => broken }
}

/**
 * The connection for several at a time: statements go one after the other, as `pg` wants them.
 * @param failed hears of each that failed: then the transaction is lost for all, whoever caught the error
 */
function oneByOne(client: ClientBase, failed: (error: unknown) => void): ClientBase {
  let last: Promise<unknown> = Promise.resolve()
  const query = (...asked: Parameters<ClientBase['query']>) => {
    const answer = last.then(() => client.query(...asked))
    last = answer.catch(failed)
    return answer
  }
  return Object.create(client, { query: { value: query } }) as ClientBase
}

/** Who asks in the same turn asks by one statement. */
function readsByKey(txOf: () => TenantTx): TenantTx['readOne'] {
  const asked = new Map<unknown, { keys: unknown[]; found: Promise<readonly unknown[]> }>()
  return async <K, V>(reader: RowReader<K, V>, key: K) => {
    let together = asked.get(reader)
    if (together === undefined) {
      const keys: unknown[] = []
      const read = async () => {
        asked.delete(reader)
        return reader(txOf(), keys as K[])
      }
      // In the next turn: until then the others come with theirs.
      together = { keys, found: Promise.resolve().then(read) }
      asked.set(reader, together)
    }
    const at = together.keys.push(key) - 1
    return (await together.found)[at] as V
  }
}
