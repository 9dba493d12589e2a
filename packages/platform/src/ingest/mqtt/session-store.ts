/** Where sessions outlive the process. */
import type { SessionState } from './session.ts'

export interface SessionKey {
  /** uuid */
  readonly tenant: string
  /** uuid */
  readonly device: string
  /** SHA-256 of the client id, hex */
  readonly client: string
}

/** Calls for one key take effect in the order they were made. All reject with Failure `mqtt-sessions-unavailable` (retry). */
export interface SessionStore {
  /** null when there is none or its time has passed at `now`. */
  load(key: SessionKey, now: number): Promise<SessionState | null>
  /** Durable when it resolves. @param expiresAt ms since epoch */
  save(key: SessionKey, state: SessionState, expiresAt: number): Promise<void>
  /** Durable when it resolves: the session does not come back after a crash. */
  forget(key: SessionKey): Promise<void>
  /** Deletes sessions whose time has passed; returns how many. */
  expire(now: number): Promise<number>
}
