/**
 * What a door (MQTT, HTTP, a person's form) and the ingest flow say to each other. A door authenticates, hands over frames and
 * acknowledges; it decides nothing about readings.
 */
import type { DoorName, FrameFormat, QuarantineReason } from '@careloop/contract'

/** What a device may do follows from this (ARCHITECTURE 4.7). */
export type Classification = 'wellness' | 'operational' | 'medical' | 'cyber-device'

/** Who speaks, once a credential has been checked. Plain data, kept for the life of a connection. */
export interface DeviceIdentity {
  readonly tenant: string
  /** uuid */
  readonly device: string
  /** The name used in topics, `[A-Za-z0-9._-]{1,64}`; topics take the id too. Never PHI. */
  readonly name: string
  /** Code of the device's profile in packages/profiles, e.g. `generic`, `ble-blood-pressure`. */
  readonly profile: string
  readonly classification: Classification
  /** The credential (token or certificate) it came with. */
  readonly credential: string
}

/** One frame as it came through a door. */
export interface Frame {
  readonly kind: 'telemetry' | 'attributes' | 'status'
  readonly device: DeviceIdentity
  readonly door: DoorName
  readonly format: FrameFormat
  readonly bytes: Uint8Array
  readonly receivedAt: number
  readonly topic?: string
  /**
   * MQTT's packet identifier and DUP flag: a redelivered PUBLISH with neither time nor sequence is recognised by packet
   * identifier and content.
   */
  readonly delivery?: { readonly packetId: number; readonly dup: boolean }
}

/** What became of a frame. Given only after it is durable. */
export type Receipt =
  | {
      readonly outcome: 'stored'
      readonly position: number
      readonly readings: number
      readonly quarantined: readonly SetAside[]
    }
  | { readonly outcome: 'duplicate' }
  | { readonly outcome: 'quarantined'; readonly quarantined: readonly SetAside[] }

export interface SetAside {
  readonly id: string
  readonly reason: QuarantineReason
  readonly pointer: string
  readonly message: string
}

/**
 * The flow behind every door. Resolves after the append is durable; frames of one device resolve in the order of their calls.
 * Rejects with a Failure of disposition `retry` (log-overloaded, storage-low, log-closed) when nothing was stored.
 */
export type Accept = (frame: Frame) => Promise<Receipt>
