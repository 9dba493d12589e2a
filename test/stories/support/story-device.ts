/**
 * A device that keeps its word as MQTT asks: one persistent session, QoS 1, a message is kept until its PUBACK came and sent again,
 * in order and with DUP, after each reconnect. It remembers what it sent and what was acknowledged; stories compare that with
 * what is stored.
 */
import { connect, type Socket } from 'node:net'
import mqttPacket, { type IPublishPacket, type Packet } from 'mqtt-packet'

/** How a message says which one it is: by number, by time, or only by MQTT's packet identifier. */
export type Naming = 'seq' | 'ts' | 'neither'

export interface StoryDeviceOptions {
  readonly name: string
  /** uuid */
  readonly device: string
  readonly token: string
  readonly naming: Naming
  /** Asked at each connect: a device may be moved to another server. */
  port(): number
  readonly version?: 4 | 5
  /** Unacknowledged messages. Default 32. */
  readonly window?: number
  /** A message each. Default 20 ms. */
  readonly everyMs?: number
}

/** The message's number is told from its value: (value - 60) * 1000. */
export const SIGNAL = 'heart-rate'
export const valueFor = (n: number): number => (60_000 + n) / 1000
export const numberOf = (value: number): number => Math.round(value * 1000) - 60_000

export class StoryDevice {
  readonly options: StoryDeviceOptions
  readonly sent = new Set<number>()
  readonly acknowledged = new Set<number>()
  /** Answers of MQTT 5 that said no, by reason code. */
  readonly refusals = new Map<number, number>()
  /** Reconnects that found no session, although there was one. */
  sessionsLost = 0
  connects = 0
  #next = 1
  #lastTs = 0
  #packetId = 0
  readonly #unacknowledged = new Map<number, { readonly n: number; readonly payload: string }>()
  readonly #refused: { readonly n: number; readonly payload: string }[] = []
  #socket: Socket | undefined
  #open = false
  #running = false
  #speaking = false
  #timer: NodeJS.Timeout | undefined

  constructor(options: StoryDeviceOptions) {
    this.options = options
  }

  start(): void {
    this.#running = true
    this.#speaking = true
    this.#connect()
    this.#timer = setInterval(() => this.#speak(), this.options.everyMs ?? 20)
  }

  get unacknowledged(): number {
    return this.#unacknowledged.size + this.#refused.length
  }

  /** Says nothing new from now on, but still sends again what is unacknowledged. */
  quieten(): void {
    this.#speaking = false
  }

  /** Cuts the connection without a word; it comes back by itself. */
  vanish(): void {
    this.#socket?.destroy()
  }

  end(): void {
    this.#running = false
    clearInterval(this.#timer)
    this.#socket?.destroy()
  }

  #speak(): void {
    if (!this.#open || this.#unacknowledged.size >= (this.options.window ?? 32)) return
    const again = this.#refused.shift()
    if (again) this.#publish(again.n, again.payload)
    if (again || !this.#speaking) return
    const n = this.#next++
    this.sent.add(n)
    this.#publish(n, this.#payload(n))
  }

  #payload(n: number): string {
    const values = `"values":{"${SIGNAL}":${valueFor(n)}}`
    if (this.options.naming === 'neither') return `{${values}}`
    if (this.options.naming === 'seq') return `{"seq":${n},${values}}`
    this.#lastTs = Math.max(Date.now(), this.#lastTs + 1)
    return `{"ts":${this.#lastTs},${values}}`
  }

  #publish(n: number, payload: string): void {
    do this.#packetId = (this.#packetId % 65_535) + 1
    while (this.#unacknowledged.has(this.#packetId))
    this.#unacknowledged.set(this.#packetId, { n, payload })
    this.#send(this.#publishPacket(this.#packetId, payload, false))
  }

  #publishPacket(messageId: number, payload: string, dup: boolean): IPublishPacket {
    const topic = `devices/${this.options.name}/telemetry`
    return { cmd: 'publish', topic, payload, qos: 1, dup, retain: false, messageId }
  }

  #send(packet: Packet): void {
    this.#socket?.write(mqttPacket.generate(packet, { protocolVersion: this.options.version ?? 4 }))
  }

  #connect(): void {
    if (!this.#running) return
    const { name, token, version = 4 } = this.options
    const socket = connect({ port: this.options.port(), host: '127.0.0.1', noDelay: true })
    const parser = mqttPacket.parser({ protocolVersion: version })
    parser.on('packet', (packet) => this.#hear(packet))
    parser.on('error', () => socket.destroy())
    this.#socket = socket
    socket.on('connect', () =>
      this.#send({
        ...{
          cmd: 'connect',
          protocolId: 'MQTT',
          protocolVersion: version,
          clientId: name,
          clean: false,
          keepalive: 60,
        },
        ...{ username: name, password: Buffer.from(token) },
        ...(version === 5 ? { properties: { sessionExpiryInterval: 3600 } } : {}),
      }),
    )
    socket.on('data', (chunk: Buffer) => parser.parse(chunk))
    socket.on('error', () => {})
    socket.on('close', () => {
      this.#open = false
      if (this.#running) setTimeout(() => this.#connect(), 30 + Math.random() * 50)
    })
  }

  #hear(packet: Packet): void {
    if (packet.cmd === 'connack')
      this.#opened((packet.reasonCode ?? packet.returnCode) as number, packet.sessionPresent)
    if (packet.cmd === 'disconnect') this.#socket?.destroy()
    if (packet.cmd !== 'puback') return
    const told = this.#unacknowledged.get(packet.messageId!)
    this.#unacknowledged.delete(packet.messageId!)
    if (told === undefined) throw new Error(`an acknowledgement for ${packet.messageId}, which is not waiting`)
    const reason = packet.reasonCode ?? 0
    if (reason < 0x80) this.acknowledged.add(told.n)
    else {
      this.refusals.set(reason, (this.refusals.get(reason) ?? 0) + 1)
      // A no ends the exchange: what is sent later is a new PUBLISH of the same message.
      this.#refused.push(told)
    }
  }

  #opened(code: number, sessionPresent: boolean): void {
    if (code !== 0) return void this.#socket?.destroy()
    if (this.connects++ > 0 && !sessionPresent) this.sessionsLost++
    for (const [id, { payload }] of this.#unacknowledged) this.#send(this.#publishPacket(id, payload, true))
    this.#open = true
  }
}
