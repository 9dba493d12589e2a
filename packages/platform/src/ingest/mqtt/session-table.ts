/** Sessions that live in this process: those with a connection, and those that still have something to finish. */
import type { Connection } from './connection.ts'
import { keyText, type Session } from './session.ts'
import type { SessionKey, SessionStore } from './session-store.ts'

interface Place {
  connection: Connection | null
  /** null while its first connection is still being opened */
  session: Session | null
  /** Saves under way after the last connection ended. */
  saving: number
}

export class SessionTable {
  readonly #places = new Map<string, Place>()
  readonly #store: SessionStore
  readonly #saves = new Set<Promise<void>>()

  constructor(store: SessionStore) {
    this.#store = store
  }

  /** Puts a connection in its session's place. @returns the connection that was there and is now to be closed */
  occupy(key: SessionKey, connection: Connection): Connection | null {
    const place = this.#places.get(keyText(key))
    if (!place) {
      this.#places.set(keyText(key), { connection, session: null, saving: 0 })
      return null
    }
    const before = place.connection
    place.connection = connection
    return before
  }

  /** The session in memory that a connection which does not start clean goes on with. */
  living(key: SessionKey): Session | null {
    const session = this.#places.get(keyText(key))?.session ?? null
    return session?.persistent ? session : null
  }

  /** Makes `session` the one of its key. One that was there before is over: what it still finishes changes nothing stored. */
  begin(session: Session) {
    const place = this.#places.get(keyText(session.key))
    if (!place || place.session === session) return
    if (place.session) place.session.expirySeconds = 0
    place.session = session
  }

  /**
   * A connection has ended. The session, if it outlives it, is saved with the time at which it ends.
   * @param saved hears of the save that failed; the row keeps its older state and time
   */
  vacate(key: SessionKey, connection: Connection, now: number, saved: (error?: unknown) => void) {
    const place = this.#places.get(keyText(key))
    if (!place || place.connection !== connection) return
    place.connection = null
    const { session } = place
    if (session?.persistent) {
      place.saving += 1
      const save = session.save(this.#store, now, 0).then(
        () => this.#saved(key, place, saved),
        (error) => this.#saved(key, place, saved, error),
      )
      this.#saves.add(save)
      void save.then(() => this.#saves.delete(save))
    }
    this.settle(key)
  }

  /** Lets a place go when nobody is in it and nothing is left to finish. */
  settle(key: SessionKey) {
    const place = this.#places.get(keyText(key))
    if (!place || place.connection || place.saving > 0) return
    if (place.session?.persistent && place.session.accepting > 0) return
    this.#places.delete(keyText(key))
  }

  /** Resolves when the sessions of ended connections are stored, or could not be. */
  async saved(): Promise<void> {
    await Promise.all(this.#saves)
  }

  #saved(key: SessionKey, place: Place, saved: (error?: unknown) => void, error?: unknown) {
    place.saving -= 1
    saved(error)
    this.settle(key)
  }
}
