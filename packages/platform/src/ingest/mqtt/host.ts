/**
 * What the MQTT door needs of the house it stands in: who a device is, what becomes of a frame, what a device is to be told.
 * The door itself knows sockets, packets and sessions; it decides nothing about readings.
 */
import type { FrameFormat, QuarantineReason } from '@careloop/contract'
import type { Accept, DeviceIdentity, Frame } from '../door.ts'
import type { Closing } from './reason-codes.ts'

/** What a client showed in CONNECT and in its TLS handshake. Never log it: user names and client ids may name people. */
export interface Hello {
  readonly door: 'mqtt' | 'mqtts'
  readonly clientId: string
  readonly username?: string
  readonly password?: Uint8Array
  readonly certificate?: ClientCertificate
  readonly remoteAddress: string
}

/** A client certificate whose chain to our CA, dates and key the TLS handshake has verified. */
export interface ClientCertificate {
  /** SHA-256 over the DER form, upper-case hex with colons, as OpenSSL prints it. */
  readonly fingerprint256: string
  readonly serialNumber: string
  /** Lines of `TYPE=value`. */
  readonly subject: string
  readonly raw: Uint8Array
}

export type Verdict =
  | {
      readonly device: DeviceIdentity
      /** How payloads on the plain topics are read when the client does not say: `profile` for raw-bytes profiles, else `json`. */
      readonly format: FrameFormat
    }
  | { readonly refused: 'bad-credentials' | 'not-authorized' | 'unavailable' }

/** One connection of a device, from CONNACK to the end of the socket. */
export interface OpenedSession {
  /** uuid of this connection */
  readonly id: string
  readonly device: DeviceIdentity
  readonly door: 'mqtt' | 'mqtts'
  readonly protocol: '3.1.1' | '5.0'
  readonly persistent: boolean
  /** The device's MQTT session was there already. */
  readonly resumed: boolean
  readonly openedAt: number
}

export interface DeviceSettings {
  /** As the device is to receive them, normally a JSON object. */
  readonly bytes: Uint8Array
  /** Grows with every change; a device that acknowledged a version is not sent it again. */
  readonly version: number
}

/** A frame on a topic that this device may not publish to, or that nobody reads. */
export interface SetAsideFrame {
  readonly frame: Frame
  readonly reason: QuarantineReason & ('wrong-device' | 'not-allowed')
  readonly message: string
}

export interface LastWill {
  readonly device: DeviceIdentity
  readonly door: 'mqtt' | 'mqtts'
  readonly topic: string
  readonly bytes: Uint8Array
  readonly receivedAt: number
}

export interface MqttHost {
  /** Checks a credential. A rejection is taken as `unavailable`: the device tries again. */
  authenticate(hello: Hello): Promise<Verdict>
  /** Whether a credential that let a device in still does: asked every second of every connection, so from memory. */
  isGood(credential: string): boolean
  readonly accept: Accept
  /** Quarantines a frame that no flow reads; resolves when durable, rejects like `accept`. */
  setAside(aside: SetAsideFrame): Promise<void>
  /** A will on another topic than the device's status topic (one on that topic comes through `accept`). Rejects like `accept`. */
  lastWill(will: LastWill): Promise<void>
  /** Before CONNACK: claims the device for this process and records that it is connected. A rejection refuses the connection. */
  opened(session: OpenedSession): Promise<void>
  /** Once for every `opened`, after the connection has ended and its will, if it fires at once, has been handed to `accept`. */
  closed(session: OpenedSession, why: Closing): void
  /** The device's settings now; null when there are none. */
  settings(device: DeviceIdentity): Promise<DeviceSettings | null>
  /** Calls `changed` with the id of a device whose settings changed. Returns the stop. */
  onSettings(changed: (device: string) => void): () => void
  /** The device has brought more than its class may for so long that it is read more slowly since a minute. */
  hurries(device: DeviceIdentity): void
  /** The device acknowledged this version of its settings. */
  settingsReached(device: DeviceIdentity, version: number): void
  /** How full the log's queue is, 0..1. */
  pressure(): number
  /** Why an append would be refused now, or null. */
  refusal(): 'log-overloaded' | 'storage-low' | 'log-closed' | null
}
