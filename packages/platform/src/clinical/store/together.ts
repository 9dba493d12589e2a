/**
 * What is written at the same time shares a transaction: its begin, its few statements, its audit entries and its wait for the disk.
 * Each is answered after the commit that holds it; what one fails by is its own.
 */
import type { Db } from '../../engine/index.ts'
import type { Written } from '../clinical.ts'
import type { Change, Outcome } from './change.ts'
import { commitAll } from './commit.ts'
import { again, MadeMeanwhile } from './made-meanwhile.ts'
import type { ClinicalRoom } from './room.ts'

export type Together = (change: Change) => Promise<Written>

/** Transactions of one organisation at a time: while one waits for the disk, the next is made ready. */
const maxRunning = 2
/** Writes in one transaction: a bound for how long the first waits for the last. */
const maxTogether = 64

interface Waiting {
  readonly change: Change
  readonly resolve: (written: Written) => void
  readonly reject: (error: unknown) => void
}

interface Queue {
  /** In the order in which they came. */
  readonly waiting: Waiting[]
  running: number
  isDue: boolean
}

export function makeTogether(room: ClinicalRoom): Together {
  const { db } = room.ground.engine
  const queues = new Map<string, Queue>()
  const arrange = (tenant: string, queue: Queue): void => {
    if (queue.running === 0 && queue.waiting.length === 0) queues.delete(tenant)
    if (queue.isDue || queue.running >= maxRunning || queue.waiting.length === 0) return
    queue.isDue = true
    setImmediate(() => {
      queue.isDue = false
      queue.running += 1
      void writeTogether(room, db, tenant, takeSome(queue.waiting)).finally(() => {
        queue.running -= 1
        arrange(tenant, queue)
      })
      arrange(tenant, queue)
    })
  }
  return (change) =>
    new Promise((resolve, reject) => {
      const { tenant } = change.granted.by
      const queue = queues.get(tenant) ?? { waiting: [], running: 0, isDue: false }
      queues.set(tenant, queue)
      queue.waiting.push({ change, resolve, reject })
      arrange(tenant, queue)
    })
}

/** Those that come first, each name once: two writes of one resource are two transactions. */
function takeSome(waiting: Waiting[]): Waiting[] {
  const taken: Waiting[] = []
  const names = new Set<string>()
  for (const [at, each] of waiting.entries()) {
    if (taken.length >= maxTogether || names.has(each.change.rid)) {
      waiting.splice(0, at)
      return taken
    }
    names.add(each.change.rid)
    taken.push(each)
  }
  waiting.length = 0
  return taken
}

async function writeTogether(room: ClinicalRoom, db: Db, tenant: string, some: readonly Waiting[]): Promise<void> {
  try {
    const changes = some.map(({ change }) => change)
    const outcomes = await db.asTenant(tenant, (tx) => commitAll(room, tx, changes))
    for (const [at, outcome] of outcomes.entries()) answer(some[at]!, outcome)
  } catch (error) {
    // A statement failed, and with it all: each goes alone, so that only whose it was fails.
    if (some.length > 1) for (const each of some) await writeTogether(room, db, tenant, [each])
    else await answerAlone(room, db, tenant, some[0]!, error)
  }
}

async function answerAlone(
  room: ClinicalRoom,
  db: Db,
  tenant: string,
  waiting: Waiting,
  error: unknown,
): Promise<void> {
  if (!(error instanceof MadeMeanwhile)) return waiting.reject(error)
  try {
    const [outcome] = await again(() => db.asTenant(tenant, (tx) => commitAll(room, tx, [waiting.change])))
    answer(waiting, outcome!)
  } catch (later) {
    waiting.reject(later)
  }
}

function answer({ resolve, reject }: Waiting, outcome: Outcome): void {
  if ('failure' in outcome) reject(outcome.failure)
  else resolve(outcome.written)
}
