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

/**
 * Calls for one key take effect in the order they were made. All reject with Failure `mqtt-sessions-unavailable` (retry).
 *
 * A session has one owner: the connection that took it last, in whichever process. A device that moves to another process leaves a
 * half-open connection behind, whose process finds out minutes later and would then write back what it remembers: a packet
 * identifier that was released since, so that a new reading under it would be taken for the old one, and lost.
 */
export interface SessionStore {
  /**
   * Makes `owner` the only one who may save. Durable when it resolves.
   * @param expiresAt ms since epoch
   * @returns what was there and whose it was; null when there was nothing or its time had passed at `now`
   */
  take(key: SessionKey, owner: string, now: number, expiresAt: number): Promise<OwnedSession | null>
  /** Durable when it resolves. @throws Failure `mqtt-session-moved` when another has taken it: nothing is written */
  save(key: SessionKey, owner: string, state: SessionState, expiresAt: number): Promise<void>
  /** Durable when it resolves: the session does not come back after a crash. @param owner only if it is still theirs */
  forget(key: SessionKey, owner?: string): Promise<void>
  /** Deletes sessions whose time has passed; returns how many. */
  expire(now: number): Promise<number>
}

export interface OwnedSession {
  readonly state: SessionState
  readonly owner: string
}

export const emptyState: SessionState = { subscriptions: [], received: [], nextPacketId: 1 }

// ---------------------------------------------------------------- what every store does with one row

export interface StoredSession extends OwnedSession {
  readonly expiresAt: number
  /** When a connection last took it, ms since epoch: of too many of one device the one left longest goes. */
  readonly takenAt: number
}

/** Sessions of one device that are kept: with a client id for each a device could leave any number, each for a week. */
export const MOST_SESSIONS_PER_DEVICE = 8

export type SessionChange =
  | { readonly what: 'take'; readonly owner: string; readonly now: number; readonly expiresAt: number }
  | { readonly what: 'save'; readonly owner: string; readonly state: SessionState; readonly expiresAt: number }
  | { readonly what: 'forget'; readonly owner?: string }

/** @returns the row after the change, null for none, or `moved` when it is another's and stays as it is */
export function changed(row: StoredSession | null, change: SessionChange): StoredSession | null | 'moved' {
  switch (change.what) {
    case 'take': {
      const state = row && row.expiresAt > change.now ? row.state : emptyState
      return { state, owner: change.owner, expiresAt: change.expiresAt, takenAt: change.now }
    }
    case 'save':
      if (row?.owner !== change.owner) return 'moved'
      return { ...row, state: change.state, expiresAt: change.expiresAt }
    case 'forget':
      return change.owner === undefined || row?.owner === change.owner ? null : 'moved'
  }
}

/** What `take` found, from the row before it. */
export function found(row: StoredSession | null, now: number): OwnedSession | null {
  return row && row.expiresAt > now ? { state: row.state, owner: row.owner } : null
}
