/**
 * What a device of each class may do at its door: how large a message may be, how many it may bring, how much of it may be set aside. More
 * messages are never thrown away: a device that hurries is read more slowly, one whose messages nobody can use is told to keep them.
 */
import type { Classification } from './door.ts'

export interface DeviceAllowance {
  /** One message with its topic, bytes. */
  readonly maxMessageBytes: number
  /** Messages a second that go on for ever, and how many at once on top: a night's backlog after an outage. */
  readonly messagesPerSecond: number
  readonly burst: number
  /** Messages an hour that go into quarantine: a bound on what one broken or stolen device can fill a disk with. */
  readonly asidesPerHour: number
  /** Whether it is sent settings. */
  readonly takesSettings: boolean
}

const clinical: DeviceAllowance = {
  ...{ maxMessageBytes: 256 * 1024, messagesPerSecond: 250, burst: 20_000, asidesPerHour: 20_000 },
  takesSettings: true,
}

export const allowances: Readonly<Record<Classification, DeviceAllowance>> = {
  medical: clinical,
  'cyber-device': clinical,
  operational: { ...clinical, maxMessageBytes: 128 * 1024, messagesPerSecond: 100, burst: 10_000 },
  // Wearables and the like, often somebody's own: they bring readings and are told nothing.
  wellness: {
    maxMessageBytes: 64 * 1024,
    messagesPerSecond: 20,
    burst: 2_000,
    asidesPerHour: 2_000,
    takesSettings: false,
  },
}

/** Turns of one connection, refilled with time. No clock of its own: whoever asks says what time it is. */
export class Turns {
  readonly #perMs: number
  readonly #burst: number
  #left: number
  #at: number

  constructor({ messagesPerSecond, burst }: DeviceAllowance, now: number) {
    this.#perMs = messagesPerSecond / 1000
    this.#burst = burst
    this.#left = burst
    this.#at = now
  }

  /** Takes one. @returns whether another may be taken now */
  take(now: number): boolean {
    // Asked for every message: a division of time is made only when the turns run low.
    this.#left -= 1
    return this.#left >= 1 || this.mayGoOn(now)
  }

  mayGoOn(now: number): boolean {
    if (now > this.#at) {
      this.#left = Math.min(this.#burst, this.#left + (now - this.#at) * this.#perMs)
      this.#at = now
    }
    return this.#left >= 1
  }
}

const HOUR_MS = 3_600_000

/** Counts what of each device was set aside within the hour. */
export class AsideCounts {
  readonly #counts = new Map<string, { since: number; count: number }>()

  /** @returns whether so many more may be set aside now; then they are counted */
  take(device: string, classification: Classification, many: number, now: number): boolean {
    let known = this.#counts.get(device)
    if (known === undefined || now - known.since >= HOUR_MS) {
      if (this.#counts.size >= 10_000) this.#forget(now)
      known = { since: now, count: 0 }
      this.#counts.set(device, known)
    }
    if (known.count + many > allowances[classification].asidesPerHour) return false
    known.count += many
    return true
  }

  #forget(now: number): void {
    for (const [device, { since }] of this.#counts) if (now - since >= HOUR_MS) this.#counts.delete(device)
  }
}
