import { connect, type Socket } from 'node:net'
import mqttPacket, { type IConnectPacket, type IPublishPacket, type Packet } from 'mqtt-packet'

/** A client that says exactly what the test tells it, also what no client should. */
export class RawClient {
  readonly socket: Socket
  readonly version: 4 | 5
  /** Everything received and not yet taken by `next`. */
  readonly inbox: Packet[] = []
  /** Resolves when the door has closed the connection. */
  readonly closed: Promise<void>
  #ended = false
  #waiting: ((packet: Packet | null) => void)[] = []

  constructor(socket: Socket, version: 4 | 5) {
    this.socket = socket
    this.version = version
    const parser = mqttPacket.parser({ protocolVersion: version })
    parser.on('packet', (packet) => {
      const waiting = this.#waiting.shift()
      if (waiting) waiting(packet)
      else this.inbox.push(packet)
    })
    // A test that is done listening may have sent what makes the door answer in another version.
    parser.on('error', () => {})
    socket.on('data', (chunk: Buffer) => parser.parse(chunk))
    socket.on('error', () => {})
    this.closed = new Promise((resolve) => {
      socket.on('close', () => {
        this.#ended = true
        for (const waiting of this.#waiting.splice(0)) waiting(null)
        resolve()
      })
    })
  }

  static async dial(port: number, version: 4 | 5 = 4): Promise<RawClient> {
    const socket = connect({ port, host: '127.0.0.1', noDelay: true })
    await new Promise<void>((resolve, reject) => socket.once('connect', resolve).once('error', reject))
    return new RawClient(socket, version)
  }

  /** Dials and connects as device n. */
  static async open(
    port: number,
    n: number,
    version: 4 | 5 = 4,
    more: Partial<IConnectPacket> = {},
  ): Promise<RawClient> {
    const client = await RawClient.dial(port, version)
    client.connect(n, more)
    const packet = await client.next()
    const code = packet?.cmd === 'connack' ? (version === 5 ? packet.reasonCode : packet.returnCode) : 'no CONNACK'
    if (code !== 0) throw new Error(`device ${n} was not let in: ${code}`)
    return client
  }

  connect(n: number, more: Partial<IConnectPacket> = {}) {
    this.send({
      cmd: 'connect',
      protocolId: 'MQTT',
      protocolVersion: this.version,
      clientId: `client-${n}`,
      clean: true,
      keepalive: 60,
      username: `token-${n}`,
      ...more,
    })
  }

  send(packet: Packet) {
    this.write(mqttPacket.generate(packet, { protocolVersion: this.version }))
  }

  publish(messageId: number, more: Partial<IPublishPacket> = {}) {
    this.send({
      cmd: 'publish',
      topic: 'v1/devices/me/telemetry',
      payload: Buffer.from(`{"n":${messageId}}`),
      qos: 1,
      dup: false,
      retain: false,
      messageId,
      ...more,
    })
  }

  write(bytes: Uint8Array) {
    this.socket.write(bytes)
  }

  /** The next packet; null when the connection ends without one. */
  next(): Promise<Packet | null> {
    const there = this.inbox.shift()
    if (there) return Promise.resolve(there)
    if (this.#ended) return Promise.resolve(null)
    return new Promise((resolve) => this.#waiting.push(resolve))
  }

  /** Sends PINGREQ and gives all that came before its answer: what the door has said so far. */
  async heardSoFar(): Promise<Packet[]> {
    this.send({ cmd: 'pingreq' })
    const heard: Packet[] = []
    for (;;) {
      const packet = await this.next()
      if (packet === null || packet.cmd === 'pingresp') return heard
      heard.push(packet)
    }
  }

  /** Goes without a word. */
  vanish(): Promise<void> {
    this.socket.destroy()
    return this.closed
  }

  async leave(): Promise<void> {
    this.send({ cmd: 'disconnect', reasonCode: 0 })
    await this.closed
  }
}
