/**
 * What the door remembers of a client beyond one connection (MQTT 5.0, 4.1): subscriptions, QoS 2 publishes received and not yet
 * released, settings sent and not yet acknowledged. A session belongs to (tenant, device, client id), so that two devices with
 * the same factory client id do not throw each other out.
 */
import { createHash } from 'node:crypto'
import type { DeviceIdentity } from '../door.ts'
import type { SessionKey, SessionStore } from './session-store.ts'

export interface Subscription {
  readonly topic: string
  /** Granted: 0 or 1. */
  readonly qos: 0 | 1
  readonly retainAsPublished: boolean
  readonly identifier: number | null
  /** Nothing is ever sent there. */
  readonly silent: boolean
  /** Sent and not yet acknowledged. */
  pending: { packetId: number; version: number; retain: boolean } | null
  /** Newest version that the client has acknowledged (or was sent, at QoS 0). */
  reached: number | null
  /** A newer version may be there: look again when `pending` is settled. */
  stale: boolean
}

/** A session as it is kept between processes. Plain JSON; no text of the client's but its own topics. */
export interface SessionState {
  readonly subscriptions: readonly Omit<Subscription, 'stale'>[]
  readonly received: readonly number[]
  readonly nextPacketId: number
}

/** QoS 2 publish whose packet identifier is taken: being accepted, or accepted and waiting for PUBREL. */
export type Received = { readonly accepted: true } | { readonly accepted: false; readonly outcome: Promise<Acceptance> }

/** What a publish is answered with; null = not answered, the connection goes down instead. */
export type Acceptance = { readonly reason: number; readonly text: string } | null

export class Session {
  readonly key: SessionKey
  readonly device: DeviceIdentity
  readonly subscriptions = new Map<string, Subscription>()
  readonly received = new Map<number, Received>()
  /** Whom the store lets save it: changes with each connection that takes it. */
  owner: string
  /** Seconds that the session outlives its connection; 0 = not at all, so nothing of it is stored. */
  expirySeconds = 0
  /** QoS 2 publishes being accepted: the session stays in memory until they are settled. */
  accepting = 0
  #nextPacketId = 1

  constructor(key: SessionKey, device: DeviceIdentity, owner: string) {
    this.owner = owner
    this.key = key
    this.device = device
  }

  get persistent(): boolean {
    return this.expirySeconds > 0
  }

  restore(state: SessionState): void {
    for (const kept of state.subscriptions) this.subscriptions.set(kept.topic, { ...kept, stale: false })
    for (const id of state.received) this.received.set(id, { accepted: true })
    this.#nextPacketId = state.nextPacketId
  }

  state(): SessionState {
    const received: number[] = []
    for (const [id, { accepted }] of this.received) if (accepted) received.push(id)
    const subscriptions = [...this.subscriptions.values()].map(({ stale: _, ...kept }) => kept)
    return { subscriptions, received, nextPacketId: this.#nextPacketId }
  }

  /** A packet identifier that no unacknowledged message of ours uses. */
  takePacketId(): number {
    for (;;) {
      const id = this.#nextPacketId
      this.#nextPacketId = id === 0xffff ? 1 : id + 1
      let taken = false
      for (const { pending } of this.subscriptions.values()) if (pending?.packetId === id) taken = true
      if (!taken) return id
    }
  }

  /**
   * Durable when it resolves; nothing to do for a session that ends with its connection.
   * @throws Failure `mqtt-sessions-unavailable`, `mqtt-session-moved` (the device is connected elsewhere)
   */
  save(store: SessionStore, now: number, graceMs = CRASH_GRACE_MS): Promise<void> {
    if (!this.persistent) return DONE
    return store.save(this.key, this.owner, this.state(), now + this.expirySeconds * 1000 + graceMs)
  }
}

const DONE = Promise.resolve()

/**
 * While a client is connected its session's time has not begun to run. The row still carries a time, so that a session whose process
 * was killed ends some day: the time is set this far ahead and moved on before it comes near.
 */
export const CRASH_GRACE_MS = 86_400_000

export function sessionKey(device: DeviceIdentity, clientId: string): SessionKey {
  // A client id may name a person; only its digest is kept.
  const client = createHash('sha256').update(clientId).digest('hex')
  return { tenant: device.tenant, device: device.device, client }
}

export const keyText = (key: SessionKey): string => `${key.tenant}/${key.device}/${key.client}`
