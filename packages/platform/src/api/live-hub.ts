/** One subscription to facts a process, however many pages look; each page's queue is bounded. */
import type { Fact } from '@careloop/contract'
import type { Engine } from '../engine/index.ts'

/** A page that reads slower than this many events behind is told to read again instead. */
export const maxWaiting = 500
export const heartbeatMs = 15_000

export interface LiveHub {
  /** Calls `wake` after each fact or heartbeat; `take` empties what waits, null = it overflowed. */
  join(tenant: string, wake: () => void): { take(): Fact[] | null; leave(): void }
  close(): void
}

interface Seat {
  readonly tenant: string
  readonly wake: () => void
  waiting: Fact[] | null
}

/** One subscription a process, however many pages look. */
export function makeLiveHub(engine: Engine): LiveHub {
  const seats = new Set<Seat>()
  const leaveFacts = engine.db.onFacts('all', (fact) => {
    for (const seat of seats) {
      if (seat.tenant !== fact.tenant) continue
      if (seat.waiting !== null && seat.waiting.push(fact) > maxWaiting) seat.waiting = null
      seat.wake()
    }
  })
  const stopBeat = engine.clock.every(heartbeatMs, () => {
    for (const seat of seats) seat.wake()
  })
  return {
    join(tenant, wake) {
      const seat: Seat = { tenant, wake, waiting: [] }
      seats.add(seat)
      return {
        take() {
          const taken = seat.waiting
          seat.waiting = []
          return taken
        },
        leave: () => void seats.delete(seat),
      }
    },
    close() {
      leaveFacts()
      stopBeat()
    },
  }
}
