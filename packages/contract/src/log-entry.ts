/**
 * What stands in the reading log: the one ordered input of telemetry, rules and every later reader.
 * Names are past tense: an entry tells of something that has happened.
 */
import type { EpochMs, LoggedReading, Origin } from './reading.ts'

/** The way a frame came in. */
export type DoorName = 'mqtt' | 'mqtts' | 'http' | 'manual' | 'replay'

/** How a frame's bytes are to be read. `profile` = raw bytes, decoded by the device's profile. */
export type FrameFormat = 'json' | 'senml' | 'profile' | 'form'

/** The bytes as they came, kept until the log's floor passes them. `bytes` is base64 at rest inside the sealed row. */
export interface RawFrame {
  readonly format: FrameFormat
  readonly bytes: Uint8Array
}

/** Readings of one device, attributed to the subject who wore it at `measuredAt`. */
export interface ReadingsLogged {
  readonly kind: 'readings'
  readonly tenant: string
  readonly device: string
  readonly assignment: string
  readonly subject: string
  readonly door: DoorName
  readonly receivedAt: EpochMs
  readonly origin: Origin
  /** The device's message number, if it sent one. */
  readonly sequence?: number
  /** The device began to count anew with this message: what it sent before does not count as the same numbers. */
  readonly sequenceRestarted?: true
  /** MQTT's packet identifier, by which a redelivery without time or sequence is recognised. */
  readonly delivery?: { readonly packetId: number }
  /** Clock epoch of the device and the offset (ms, added to device time) that was frozen for it. */
  readonly clockEpoch?: number
  readonly clockOffsetMs?: number
  /** The device's user slot (user 1 or 2 of a shared cuff), where it tells one. */
  readonly userIndex?: number
  /** Staff member who typed it, for origin `typed`. */
  readonly enteredBy?: string
  readonly frame: RawFrame
  readonly readings: readonly LoggedReading[]
}

/** Why a frame, or a part of one, was set aside. */
export type QuarantineReason =
  | 'unknown-device'
  | 'wrong-device'
  | 'unassigned'
  | 'bad-frame'
  | 'unknown-signal'
  | 'unit-mismatch'
  | 'conflict'
  | 'implausible'
  | 'too-large'
  | 'not-allowed'

/** A frame that could not be decoded, attributed or trusted: kept whole, counted, shown, replayable. */
export interface FrameQuarantined {
  readonly kind: 'quarantined'
  readonly id: string
  readonly tenant: string
  readonly device?: string
  readonly door: DoorName
  readonly receivedAt: EpochMs
  readonly reason: QuarantineReason
  /** JSON pointer (RFC 6901) or byte offset (`@12`) to the field at fault. */
  readonly pointer: string
  /** What is wrong and what to do, without values that could be PHI. */
  readonly message: string
  readonly topic?: string
  /** The device's clock as it was held to be when the frame came: what is replayed is settled with it. */
  readonly clockEpoch?: number
  readonly clockOffsetMs?: number
  readonly frame: RawFrame
}

/** A device told of itself (battery, firmware) or its connection changed. */
export interface DeviceReported {
  readonly kind: 'device-reported'
  readonly tenant: string
  readonly device: string
  readonly receivedAt: EpochMs
  readonly what: 'attributes' | 'status' | 'connected' | 'disconnected' | 'last-will'
  readonly attributes: Readonly<Record<string, string | number | boolean>>
  /** The door process that tells of a connection, and the connection: the end of an older one does not end a newer one. */
  readonly process?: string
  readonly connection?: string
}

/** Who wears a device changed, or was corrected for a past span. Readers re-attribute what lies in [from, to). */
export interface AssignmentChanged {
  readonly kind: 'assignment-changed'
  readonly tenant: string
  readonly device: string
  /** The device's whole assignment history after the change, oldest first; spans are half-open [from, to). */
  readonly assignments: readonly AssignmentSpan[]
  /** The earliest instant whose attribution may have changed. */
  readonly since: EpochMs
}

export interface AssignmentSpan {
  readonly id: string
  readonly subject: string
  readonly from: EpochMs
  /** null = still worn */
  readonly to: EpochMs | null
}

/** Rules, enrolments or thresholds changed: evaluators reload what they know of `subject` (or all, when absent). */
export interface ConfigChanged {
  readonly kind: 'config-changed'
  readonly tenant: string
  readonly subject?: string
}

/** A person handled an alert; the evaluator learns of it in order. */
export interface AlertHandled {
  readonly kind: 'alert-handled'
  readonly tenant: string
  readonly alert: string
  readonly rule: string
  readonly subject: string
  readonly focus: string
  readonly handling: 'acknowledged' | 'closed'
  /** Of `closed` while the condition stands: what lets it be raised again. Absent = until it has cleared once. */
  readonly rearm?: { readonly until: 'worse' } | { readonly until: 'time'; readonly at: EpochMs }
}

/**
 * A door began or ceased to hear devices. Between `door-down` and `door-up` Careloop was deaf: absence clocks stand. A process
 * that was killed does not say `door-down` itself: another says it some seconds later, or the next one after its own `door-up`.
 * It may be said twice.
 */
export interface DoorChanged {
  readonly kind: 'door-up' | 'door-down'
  readonly process: string
  /** For `door-up` after a crash: when the door was last known to hear. */
  readonly heardUntil?: EpochMs
}

/** Time passed. Timers of rules fire on log time only. */
export interface Ticked {
  readonly kind: 'tick'
  readonly at: EpochMs
}

export type LogEntry =
  | ReadingsLogged
  | FrameQuarantined
  | DeviceReported
  | AssignmentChanged
  | ConfigChanged
  | AlertHandled
  | DoorChanged
  | Ticked
