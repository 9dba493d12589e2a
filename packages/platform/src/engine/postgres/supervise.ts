/** Keeps a server running: when it dies it is started again, with growing pauses, until it is stopped. */
import { setTimeout as pause } from 'node:timers/promises'
import { type Server, type ServerOptions, startServer, stopServer } from './server.ts'
import type { PostgresEvent } from './start-postgres.ts'

export interface Supervisor {
  pid(): number
  stop(): Promise<void>
}

const LONGEST_PAUSE_MS = 10_000

export function supervise(run: ServerOptions, first: Server, tell: (event: PostgresEvent) => void): Supervisor {
  const stopping = new AbortController()
  let server = first
  const watched = watch()

  async function watch(): Promise<void> {
    for (;;) {
      await server.ended
      if (stopping.signal.aborted) return
      tell('died')
      const next = await startAgain()
      if (next !== undefined) server = next
      if (stopping.signal.aborted) return
      tell('restarted')
    }
  }

  /** Sessions of a killed server hold its shared memory for a moment, a full disk longer: it goes on trying. */
  async function startAgain(): Promise<Server | undefined> {
    for (let pauseMs = 50; !stopping.signal.aborted; pauseMs = Math.min(pauseMs * 2, LONGEST_PAUSE_MS)) {
      try {
        return await startServer(run)
      } catch {
        tell('restart-failed')
        await pause(pauseMs, undefined, { signal: stopping.signal }).catch(() => {})
      }
    }
    return undefined
  }

  return {
    pid: () => server.pid,
    async stop() {
      stopping.abort()
      // A server that is being started at this moment is there when `watched` has ended, and is stopped then.
      await stopServer(run, server)
      await watched
      await stopServer(run, server)
    },
  }
}
