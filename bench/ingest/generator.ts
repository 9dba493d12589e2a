/**
 * The load, in a process of its own: devices over plain sockets or TLS, MQTT 3.1.1, QoS 1, open loop. Written by hand because
 * it shares the machine with what it measures. Says on IPC what it offered, what was acknowledged, and how long that took.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { connect as connectTcp, type Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'

export interface Device {
  readonly name: string
  readonly device: string
  readonly token?: string
  readonly cert?: string
  readonly key?: string
}

export interface Plan {
  readonly devices: readonly Device[]
  readonly port: number
  readonly ca?: string
  readonly seconds: number
  /** Messages a second over all devices. */
  readonly rate: number
  /** Unacknowledged messages a device may have; beyond it the device waits and the offer is not kept. */
  readonly window: number
  readonly lateShare: number
  readonly duplicateShare: number
  /** Where the acknowledged ids go: lines `deviceIndex time`. */
  readonly ackFile: string
  /** Messages on time that cross a threshold, by share of all; never two of a device in a row. */
  readonly crossShare?: number
  /** Besides: so many a second cross for the first time of their device, one device after the other. */
  readonly firstCrossingsPerSecond?: number
  /** Where crossings that were acknowledged go: lines `deviceIndex time due`, `due` in ms since epoch. */
  readonly crossFile?: string
}

export interface Outcome {
  readonly sent: number
  readonly acked: number
  readonly seconds: number
  readonly p50Ms: number
  readonly p99Ms: number
  readonly maxMs: number
  readonly skipped: number
  readonly cpuSeconds: number
  readonly perMinute: readonly number[]
}

interface Client {
  readonly index: number
  readonly socket: Socket
  readonly topic: Buffer
  nextId: number
  inFlight: number
  /** By packet identifier: when it was due (ms, performance clock) and which time it carried. */
  readonly due: Float64Array
  readonly carried: Float64Array
  lastTime: number
  lastLate: number
  /** Whether its newest message on time crossed, and whether any ever did. */
  crossed: boolean
  everCrossed: boolean
  partial: Buffer | undefined
}

const plan = JSON.parse(readFileSync(process.argv[2]!, 'utf8')) as Plan
const IDS = 4096
const latencies: number[] = []
const acked: string[] = []
const perMinute: number[] = []
/** Crossings on their way, by device and time. */
const crossings = new Map<string, number>()
const crossingsAcked: string[] = []
let firstCrossings = 0
let sent = 0
let skipped = 0
let began = 0

async function open(device: Device, index: number): Promise<Client> {
  const socket = device.cert
    ? connectTls({
        host: '127.0.0.1',
        port: plan.port,
        cert: device.cert,
        key: device.key,
        ca: plan.ca,
        servername: 'localhost',
      })
    : connectTcp({ host: '127.0.0.1', port: plan.port })
  socket.setNoDelay(true)
  await new Promise<void>((resolve, reject) => {
    socket.once('error', reject)
    socket.once(device.cert ? 'secureConnect' : 'connect', resolve)
  })
  socket.write(connectPacket(device))
  await new Promise<void>((resolve, reject) => {
    socket.once('data', (chunk: Buffer) =>
      chunk[0] === 0x20 && chunk[3] === 0 ? resolve() : reject(new Error(`CONNACK ${chunk[3]}`)),
    )
  })
  const client: Client = {
    ...{ index, socket, nextId: 0, inFlight: 0, lastTime: 0, lastLate: 0, partial: undefined },
    ...{ crossed: false, everCrossed: false },
    topic: Buffer.from(`devices/${device.name}/telemetry`),
    due: new Float64Array(IDS + 1),
    carried: new Float64Array(IDS + 1),
  }
  socket.on('data', (chunk: Buffer) => read(client, chunk))
  socket.on('error', () => {})
  return client
}

function connectPacket(device: Device): Buffer {
  const field = (text: string) => Buffer.concat([Buffer.of(text.length >> 8, text.length & 255), Buffer.from(text)])
  const flags = device.token ? 0xc2 : 0x02
  const payload = device.token ? [field(device.name), field(device.name), field(device.token)] : [field(device.name)]
  const body = Buffer.concat([field('MQTT'), Buffer.of(4, flags, 0, 120), ...payload])
  return Buffer.concat([Buffer.of(0x10), lengthOf(body.length), body])
}

function lengthOf(length: number): Buffer {
  return length < 128 ? Buffer.of(length) : Buffer.of((length & 127) | 128, length >> 7)
}

function read(client: Client, chunk: Buffer): void {
  const bytes = client.partial ? Buffer.concat([client.partial, chunk]) : chunk
  const now = performance.now()
  let at = 0
  while (bytes.length - at >= 4) {
    if (bytes[at] !== 0x40) throw new Error(`packet type ${bytes[at]} was not expected`)
    const id = bytes.readUInt16BE(at + 2)
    latencies.push(now - client.due[id]!)
    const message = `${client.index} ${client.carried[id]}`
    acked.push(message)
    const due = crossings.get(message)
    if (due !== undefined) {
      crossingsAcked.push(`${message} ${due}`)
      crossings.delete(message)
    }
    perMinute[Math.floor((now - began) / 60_000)] = (perMinute[Math.floor((now - began) / 60_000)] ?? 0) + 1
    client.inFlight--
    at += 4
  }
  client.partial = at < bytes.length ? bytes.subarray(at) : undefined
}

function publish(client: Client, due: number): void {
  if (client.inFlight >= plan.window) {
    skipped++
    return
  }
  const late = Math.random() < plan.lateShare
  // Each message carries a time that no other of its device carries: the id it is counted by afterwards. Even ms are on time,
  // odd ones come half a minute late.
  const now = Date.now()
  const ts = late
    ? Math.max(now - 30_000 - (now % 2) + 1, client.lastLate + 2)
    : Math.max(now - (now % 2), client.lastTime + 2)
  if (late) client.lastLate = ts
  else client.lastTime = ts
  const phase = now / 60_000 + client.index
  const crosses = !late && crossesNow(client)
  if (crosses) crossings.set(`${client.index} ${ts}`, now - (performance.now() - due))
  const spo2 = crosses ? 80 : 97 + Math.round(Math.random() * 2)
  const payload = `{"ts":${ts},"values":{"heart-rate":${72 + Math.round(6 * Math.sin(phase) + Math.random() * 2)},"spo2":${spo2},"respiratory-rate":${14 + Math.round(2 * Math.cos(phase))}}}`
  send(client, payload, ts, due)
  if (Math.random() < plan.duplicateShare) send(client, payload, ts, due)
}

/** A device whose message crossed sends a good one next, so that each crossing is one alert or one recurrence. */
function crossesNow(client: Client): boolean {
  const crosses = !client.crossed && (isFirstDue(client) || Math.random() < (plan.crossShare ?? 0))
  client.crossed = crosses
  if (crosses) client.everCrossed = true
  return crosses
}

function isFirstDue(client: Client): boolean {
  const due = ((performance.now() - began) / 1000) * (plan.firstCrossingsPerSecond ?? 0)
  if (client.everCrossed || firstCrossings >= due) return false
  firstCrossings += 1
  return true
}

function send(client: Client, payload: string, ts: number, due: number): void {
  client.nextId = (client.nextId % IDS) + 1
  client.due[client.nextId] = due
  client.carried[client.nextId] = ts
  client.inFlight++
  sent++
  const { topic } = client
  const length = 2 + topic.length + 2 + payload.length
  const packet = Buffer.allocUnsafe(1 + (length < 128 ? 1 : 2) + length)
  let at = 0
  packet[at++] = 0x32
  if (length < 128) packet[at++] = length
  else {
    packet[at++] = (length & 127) | 128
    packet[at++] = length >> 7
  }
  packet.writeUInt16BE(topic.length, at)
  topic.copy(packet, at + 2)
  at += 2 + topic.length
  packet.writeUInt16BE(client.nextId, at)
  packet.write(payload, at + 2, 'latin1')
  client.socket.write(packet)
}

async function main(): Promise<void> {
  const clients: Client[] = []
  for (let i = 0; i < plan.devices.length; i += 50)
    clients.push(...(await Promise.all(plan.devices.slice(i, i + 50).map((device, j) => open(device, i + j)))))
  process.send!('ready')
  await new Promise((go) => process.once('message', go))
  const cpuBefore = process.cpuUsage()
  began = performance.now()
  let turn = 0
  await new Promise<void>((done) => {
    const timer = setInterval(() => {
      const elapsed = (performance.now() - began) / 1000
      const want = Math.min(elapsed, plan.seconds) * plan.rate
      while (turn < want) {
        publish(clients[turn % clients.length]!, began + (turn / plan.rate) * 1000)
        turn++
      }
      if (elapsed >= plan.seconds) {
        clearInterval(timer)
        done()
      }
    }, 1)
  })
  const until = performance.now() + 20_000
  while (clients.some((client) => client.inFlight > 0) && performance.now() < until)
    await new Promise((go) => setTimeout(go, 5))
  const seconds = (performance.now() - began) / 1000
  const used = process.cpuUsage(cpuBefore)
  latencies.sort((a, b) => a - b)
  writeFileSync(plan.ackFile, acked.join('\n'))
  if (plan.crossFile) writeFileSync(plan.crossFile, crossingsAcked.join('\n'))
  const at = (q: number) => latencies[Math.min(latencies.length - 1, Math.floor(q * latencies.length))] ?? Number.NaN
  const outcome: Outcome = {
    ...{ sent, acked: acked.length, seconds, skipped, perMinute },
    p50Ms: at(0.5),
    p99Ms: at(0.99),
    maxMs: latencies.at(-1) ?? Number.NaN,
    cpuSeconds: (used.user + used.system) / 1e6,
  }
  process.send!(outcome, () => process.exit(0))
}

if (process.send) main()
