/**
 * Whether Careloop could hear: which doors are up, and which devices and gateways said that they are disconnected. An absence
 * clock runs only while the one that is absent could have been heard.
 */
import type { EpochMs } from '@careloop/contract'

/** A device that a subject wears now. */
export interface WatchedDevice {
  readonly device: string
  /** The gateway it is heard by; null when it speaks for itself. */
  readonly gateway: string | null
  /** Since when it is worn. */
  readonly since: EpochMs
  /** How often it measures, ms; null when nobody said. */
  readonly intervalMs: number | null
  /** What it can measure; absent = not known, then each absence rule `per: device` waits for it until it speaks of other things only. */
  readonly signals?: readonly string[]
}

/** The part of the evaluator's state that belongs to no subject, as JSON. Kept in the checkpoint. */
export interface Hearing {
  /** Door processes that are up; null when none was ever told of (an old checkpoint): that counts as up. */
  readonly doorsUp: readonly string[] | null
  /** Devices and gateways that are disconnected, since when. */
  readonly disconnected: readonly (readonly [device: string, since: EpochMs])[]
  /** Newest log time that was heard of; 0 before the first. */
  readonly heardUntil: EpochMs
}

/** Log time that passes by more than this with nothing in between: nobody listened, since a running server ticks each second. */
export const deafJumpMs = 60_000

export class Ears {
  #doorsUp: Set<string> | null = null
  #disconnected = new Map<string, EpochMs>()
  heardUntil: EpochMs = 0

  get isDeaf(): boolean {
    return this.#doorsUp !== null && this.#doorsUp.size === 0
  }

  /** Since when a device or gateway is disconnected; undefined when it is not, or never told. */
  disconnectedSince(device: string): EpochMs | undefined {
    return this.#disconnected.get(device)
  }

  door(process: string, up: boolean): void {
    this.#doorsUp ??= new Set()
    if (up) this.#doorsUp.add(process)
    else this.#doorsUp.delete(process)
  }

  connection(device: string, connected: boolean, at: EpochMs): void {
    if (connected) this.#disconnected.delete(device)
    else if (!this.#disconnected.has(device)) this.#disconnected.set(device, at)
  }

  save(): Hearing {
    return {
      doorsUp: this.#doorsUp && [...this.#doorsUp].sort(),
      disconnected: [...this.#disconnected].sort(([a], [b]) => (a < b ? -1 : 1)),
      heardUntil: this.heardUntil,
    }
  }

  load({ doorsUp, disconnected, heardUntil }: Hearing): void {
    this.#doorsUp = doorsUp && new Set(doorsUp)
    this.#disconnected = new Map(disconnected)
    this.heardUntil = heardUntil
  }
}
