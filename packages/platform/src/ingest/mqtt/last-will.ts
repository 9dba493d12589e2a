/**
 * Last wills (MQTT 5.0, 3.1.2.5): what a device left to be said when it goes without a word. A will is kept until it is durable: a
 * refused append is tried again, because "this device is gone" is what somebody waits for.
 */
import type { Logger } from 'pino'
import type { DeviceIdentity } from '../door.ts'
import type { Counts } from './counts.ts'
import type { MqttHost } from './host.ts'
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
  readonly #counts: Pick<Counts, 'willsCutShort'>
  readonly #mostPerDevice: number
  /** By device, then by client; the one kept longest first. */
  readonly #delayed = new Map<string, Map<string, Armed>>()
  #again: Will[] = []
  readonly #underWay = new Set<Promise<void>>()

  /** @param parts.mostPerDevice delayed wills of one device: with a client id for each a device could leave any number */
  constructor(parts: {
    readonly host: MqttHost
    readonly log: Logger
    readonly counts: Pick<Counts, 'willsCutShort'>
    readonly mostPerDevice: number
  }) {
    this.#host = parts.host
    this.#log = parts.log
    this.#counts = parts.counts
    this.#mostPerDevice = parts.mostPerDevice
  }

  /** The connection ended without a word. @param sessionMs how long the session lives on: a will never waits longer */
  leave(key: SessionKey, will: Will, now: number, sessionMs: number) {
    const delayMs = Math.min(will.delayMs, sessionMs)
    if (delayMs <= 0) return this.#say(will, now)
    const ofDevice = this.#delayed.get(key.device) ?? new Map<string, Armed>()
    this.#delayed.set(key.device, ofDevice)
    ofDevice.delete(key.client)
    ofDevice.set(key.client, { will, dueAt: now + delayMs })
    if (ofDevice.size <= this.#mostPerDevice) return
    for (const [client, oldest] of ofDevice) {
      this.#forget(key.device, client)
      this.#counts.willsCutShort += 1
      return this.#say(oldest.will, now)
    }
  }

  /** The client is back. Going on with its session cancels a delayed will; starting clean ended that session, so the will is said. */
  returned(key: SessionKey, startedClean: boolean, now: number) {
    const armed = this.#delayed.get(key.device)?.get(key.client)
    if (!armed) return
    this.#forget(key.device, key.client)
    if (startedClean) this.#say(armed.will, now)
  }

  /** The device is connected to another process: it is not gone. */
  cancel(device: string) {
    this.#delayed.delete(device)
  }

  sweep(now: number) {
    for (const [device, ofDevice] of this.#delayed)
      for (const [client, { will, dueAt }] of ofDevice) {
        if (dueAt > now) continue
        this.#forget(device, client)
        this.#say(will, now)
      }
    for (const will of this.#again.splice(0)) this.#say(will, now)
  }

  /** Says all that is still waiting, delayed or not: better early than never. Resolves when they are durable or refused. */
  async drain(now: number): Promise<void> {
    for (const ofDevice of this.#delayed.values()) for (const { will } of ofDevice.values()) this.#say(will, now)
    this.#delayed.clear()
    for (const will of this.#again.splice(0)) this.#say(will, now)
    await Promise.all(this.#underWay)
    if (this.#again.length > 0)
      this.#log.error({ count: this.#again.length }, 'last wills could not be stored before the door closed')
  }

  #forget(device: string, client: string) {
    const ofDevice = this.#delayed.get(device)
    ofDevice?.delete(client)
    if (ofDevice?.size === 0) this.#delayed.delete(device)
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
