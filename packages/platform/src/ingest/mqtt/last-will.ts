/**
 * Last wills (MQTT 5.0, 3.1.2.5): what a device left to be said when it goes without a word. A will is kept until it is durable: a
 * refused append is tried again, because "this device is gone" is what somebody waits for.
 */
import type { Logger } from 'pino'
import type { DeviceIdentity } from '../door.ts'
import type { MqttHost } from './host.ts'
import { keyText } from './session.ts'
import type { SessionKey } from './session-store.ts'
import type { DeviceTopics } from './topics.ts'

export interface Will {
  readonly door: 'mqtt' | 'mqtts'
  readonly device: DeviceIdentity
  readonly topic: string
  readonly bytes: Uint8Array
  /** MQTT 5 Will Delay Interval, ms; 0 = as soon as the connection ends */
  readonly delayMs: number
  readonly topics: DeviceTopics
}

interface Armed {
  readonly will: Will
  readonly dueAt: number
}

/** Wills kept for another try; beyond it the oldest are given up, loudly. */
const MOST_KEPT = 50_000

export class WillKeeper {
  readonly #host: MqttHost
  readonly #log: Logger
  readonly #delayed = new Map<string, Armed>()
  #again: Will[] = []
  readonly #underWay = new Set<Promise<void>>()

  constructor(host: MqttHost, log: Logger) {
    this.#host = host
    this.#log = log
  }

  /** The connection ended without a word. @param sessionMs how long the session lives on: a will never waits longer */
  leave(key: SessionKey, will: Will, now: number, sessionMs: number) {
    const delayMs = Math.min(will.delayMs, sessionMs)
    if (delayMs > 0) this.#delayed.set(keyText(key), { will, dueAt: now + delayMs })
    else this.#say(will, now)
  }

  /** The client is back. Going on with its session cancels a delayed will; starting clean ended that session, so the will is said. */
  returned(key: SessionKey, startedClean: boolean, now: number) {
    const armed = this.#delayed.get(keyText(key))
    if (!armed) return
    this.#delayed.delete(keyText(key))
    if (startedClean) this.#say(armed.will, now)
  }

  /** The device is connected to another process: it is not gone. */
  cancel(device: string) {
    for (const [key, { will }] of this.#delayed) if (will.device.device === device) this.#delayed.delete(key)
  }

  sweep(now: number) {
    for (const [key, { will, dueAt }] of this.#delayed) {
      if (dueAt > now) continue
      this.#delayed.delete(key)
      this.#say(will, now)
    }
    for (const will of this.#again.splice(0)) this.#say(will, now)
  }

  /** Says all that is still waiting, delayed or not: better early than never. Resolves when they are durable or refused. */
  async drain(now: number): Promise<void> {
    for (const { will } of this.#delayed.values()) this.#say(will, now)
    this.#delayed.clear()
    for (const will of this.#again.splice(0)) this.#say(will, now)
    await Promise.all(this.#underWay)
    if (this.#again.length > 0)
      this.#log.error({ count: this.#again.length }, 'last wills could not be stored before the door closed')
  }

  #say(will: Will, now: number) {
    const said = this.#hand(will, now).then(
      () => {},
      (error) => {
        this.#log.warn({ err: error, device: will.device.device }, 'a last will was not stored; it is tried again')
        if (this.#again.length < MOST_KEPT) this.#again.push(will)
        else this.#log.error({ device: will.device.device }, 'a last will is given up: too many wait')
      },
    )
    this.#underWay.add(said)
    void said.then(() => this.#underWay.delete(said))
  }

  async #hand(will: Will, receivedAt: number): Promise<void> {
    const { door, device, topic, bytes } = will
    const route = will.topics.route(topic)
    if (typeof route === 'object' && route.kind === 'status')
      await this.#host.accept({ kind: 'status', device, door, format: 'json', bytes, receivedAt, topic })
    else await this.#host.lastWill({ device, door, topic, bytes, receivedAt })
  }
}
