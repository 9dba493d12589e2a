import { keyText, type SessionState } from '../session.ts'
import type { SessionStore } from '../session-store.ts'

export interface MemorySessionStore extends SessionStore {
  readonly rows: Map<string, { state: SessionState; expiresAt: number }>
  /** While set, every call rejects with it. */
  broken: Error | null
}

/** Sessions of a process that is not to outlive itself: the doors of tests that are not about the database. */
export function memorySessionStore(): MemorySessionStore {
  const rows: MemorySessionStore['rows'] = new Map()
  const store: MemorySessionStore = {
    rows,
    broken: null,
    async load(key, now) {
      if (store.broken) throw store.broken
      const row = rows.get(keyText(key))
      return row && row.expiresAt > now ? (JSON.parse(JSON.stringify(row.state)) as SessionState) : null
    },
    async save(key, state, expiresAt) {
      if (store.broken) throw store.broken
      rows.set(keyText(key), { state: JSON.parse(JSON.stringify(state)) as SessionState, expiresAt })
    },
    async forget(key) {
      if (store.broken) throw store.broken
      rows.delete(keyText(key))
    },
    async expire(now) {
      let gone = 0
      for (const [key, { expiresAt }] of rows) if (expiresAt <= now && rows.delete(key)) gone += 1
      return gone
    },
  }
  return store
}
