/** Sessions that live in this process: those with a connection, and those that still have something to finish. */
import { Failure } from '@careloop/contract'
import type { Connection } from './connection.ts'
import { keyText, type Session } from './session.ts'
import type { SessionKey, SessionStore } from './session-store.ts'

interface Place {
  connection: Connection | null
  /** null while its first connection is still being opened */
  session: Session | null
  /** When the last connection ended, if the session is not stored since; the save is tried until it is. */
  unsavedSince: number | null
  saving: boolean
}

export class SessionTable {
  readonly #places = new Map<string, Place>()
  readonly #unsaved = new Map<string, Place>()
  readonly #saves = new Set<Promise<void>>()
  readonly #store: SessionStore

  constructor(store: SessionStore) {
    this.#store = store
  }

  /** Puts a connection in its session's place. @returns the connection that was there and is now to be closed */
  occupy(key: SessionKey, connection: Connection): Connection | null {
    const place = this.#places.get(keyText(key))
    if (!place) {
      this.#places.set(keyText(key), { connection, session: null, unsavedSince: null, saving: false })
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
  begin(session: Session): void {
    const place = this.#places.get(keyText(session.key))
    if (!place || place.session === session) return
    if (place.session) place.session.expirySeconds = 0
    place.session = session
  }

  /** A connection has ended. The session, if it outlives it, is saved with the time at which it ends. */
  vacate(key: SessionKey, connection: Connection, now: number): void {
    const place = this.#places.get(keyText(key))
    if (!place || place.connection !== connection) return
    place.connection = null
    if (place.session?.persistent) {
      place.unsavedSince = now
      this.#unsaved.set(keyText(key), place)
      this.#save(key, place)
    }
    this.settle(key)
  }

  /** Lets a place go when nobody is in it and nothing is left to finish. */
  settle(key: SessionKey): void {
    const place = this.#places.get(keyText(key))
    if (!place || place.connection || place.saving || place.unsavedSince !== null) return
    if (place.session?.persistent && place.session.accepting > 0) return
    this.#places.delete(keyText(key))
  }

  /** Tries again to save the sessions that the store would not take when their connections ended. */
  retry(now: number): void {
    for (const [text, place] of this.#unsaved) {
      const { session, unsavedSince, connection } = place
      const isOver = !session?.persistent || now > (unsavedSince ?? 0) + session.expirySeconds * 1000
      if (!isOver && !connection && !place.saving) this.#save(session.key, place)
      if (!isOver && !connection) continue
      this.#unsaved.delete(text)
      place.unsavedSince = null
      if (session) this.settle(session.key)
    }
  }

  /** Resolves when the sessions of ended connections are stored, or could not be. @returns how many could not */
  async saved(): Promise<number> {
    await Promise.all(this.#saves)
    return this.#unsaved.size
  }

  #save(key: SessionKey, place: Place): void {
    const { session, unsavedSince } = place
    if (!session || unsavedSince === null) return
    place.saving = true
    const save = session.save(this.#store, unsavedSince, 0).then(
      () => true,
      // A session that another process has taken is not ours to save any more.
      (error: unknown) => error instanceof Failure && error.code === 'mqtt-session-moved',
    )
    const done = save.then((isOver) => {
      place.saving = false
      if (!isOver) return
      if (place.unsavedSince === unsavedSince) {
        place.unsavedSince = null
        this.#unsaved.delete(keyText(key))
      }
      this.settle(key)
    })
    this.#saves.add(done)
    void done.then(() => this.#saves.delete(done))
  }
}
