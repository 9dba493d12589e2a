import { mqttFailure } from '../errors.ts'
import { keyText } from '../session.ts'
import {
  changed,
  found,
  type SessionChange,
  type SessionKey,
  type SessionStore,
  type StoredSession,
} from '../session-store.ts'

export interface MemorySessionStore extends SessionStore {
  /** While set, every call rejects with it. */
  broken: Error | null
}

/** Sessions of a process that is not to outlive itself: the doors of tests that are not about the database. */
export function memorySessionStore(): MemorySessionStore {
  const rows = new Map<string, StoredSession>()
  const change = async (key: SessionKey, what: SessionChange) => {
    if (store.broken) throw store.broken
    const before = rows.get(keyText(key)) ?? null
    const after = changed(before, what)
    if (after === 'moved') return { before, isMoved: true }
    if (after) rows.set(keyText(key), structuredClone(after))
    else rows.delete(keyText(key))
    return { before, isMoved: false }
  }
  const store: MemorySessionStore = {
    broken: null,
    async take(key, owner, now, expiresAt) {
      const { before } = await change(key, { what: 'take', owner, now, expiresAt })
      return found(before, now)
    },
    async save(key, owner, state, expiresAt) {
      const { isMoved } = await change(key, { what: 'save', owner, state, expiresAt })
      if (isMoved) throw mqttFailure('mqtt-session-moved', 'The device went on with its session on another connection.')
    },
    async forget(key, owner) {
      await change(key, owner === undefined ? { what: 'forget' } : { what: 'forget', owner })
    },
    async expire(now) {
      let gone = 0
      for (const [key, { expiresAt }] of rows) if (expiresAt <= now && rows.delete(key)) gone += 1
      return gone
    },
  }
  return store
}
