/**
 * Thousands of devices that come back at once, in a process of their own. Each connects, sends what it has (QoS 1), waits for its
 * acknowledgement; then all lose their connection in one moment and come back together. A device that is refused, or whose
 * connection ends, waits a little and tries again, as firmware does. Reports over IPC; what was acknowledged goes to a file.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { connect as connectTcp, type Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'
import type { Device } from '../../../bench/ingest/generator.ts'
import { SIGNAL, valueFor } from './story-device.ts'

export interface StormPlan {
  readonly devices: readonly Device[]
  readonly port: number
  /** PEM of the server's authority; absent = plain TCP with tokens. */
  readonly ca?: string
  readonly storms: number
  /** Lines `deviceIndex number`. */
  readonly ackFile: string
  readonly patienceMs: number
}

export interface StormOutcome {
  readonly storms: readonly {
    readonly seconds: number
    /** All devices were in and acknowledged. */
    readonly in: number
    readonly refusedBusy: number
    /** The connection ended before CONNACK without a word. */
    readonly dropped: number
    /** The server said nothing at all until the device gave up. */
    readonly silent: number
  }[]
}

const plan = JSON.parse(readFileSync(process.argv[2]!, 'utf8')) as StormPlan
/** Longer than the server's own limit for a CONNECT or handshake: who waits this long was forgotten. */
const GIVE_UP_MS = 30_000
const acknowledged: string[] = []
const counts = { refusedBusy: 0, dropped: 0, silent: 0 }

/** One connection: resolves with the open socket once the message is acknowledged, or null when it ended before. */
function attempt(device: Device, index: number, n: number, dup: boolean): Promise<Socket | null> {
  return new Promise((resolve) => {
    const socket = dial(device)
    let connected = false
    let bytes = Buffer.alloc(0)
    const quiet = setTimeout(() => {
      counts.silent++
      socket.destroy()
    }, GIVE_UP_MS)
    const end = (result: Socket | null) => {
      clearTimeout(quiet)
      resolve(result)
    }
    socket.on('error', () => {})
    socket.once('close', () => {
      if (!connected) counts.dropped++
      end(null)
    })
    socket.once(device.cert ? 'secureConnect' : 'connect', () => socket.write(connectPacket(device)))
    socket.on('data', (chunk: Buffer) => {
      bytes = Buffer.concat([bytes, chunk])
      if (!connected && bytes.length >= 4) {
        connected = true
        if (bytes[3] !== 0) counts.refusedBusy++
        if (bytes[3] !== 0) return void socket.destroy()
        bytes = bytes.subarray(4)
        socket.write(publishPacket(device, n, dup))
      }
      if (connected && bytes.length >= 4 && bytes[0] === 0x40) {
        acknowledged.push(`${index} ${n}`)
        end(socket)
      }
    })
  })
}

function dial(device: Device): Socket {
  const to = { host: '127.0.0.1', port: plan.port }
  if (!device.cert) return connectTcp(to)
  return connectTls({ ...to, cert: device.cert, key: device.key, ca: plan.ca, servername: 'localhost' })
}

const field = (text: string) => Buffer.concat([Buffer.of(text.length >> 8, text.length & 255), Buffer.from(text)])
const packet = (type: number, body: Buffer) =>
  Buffer.concat([
    Buffer.of(type),
    body.length < 128 ? Buffer.of(body.length) : Buffer.of((body.length & 127) | 128, body.length >> 7),
    body,
  ])

function connectPacket(device: Device): Buffer {
  const payload = device.token ? [field(device.name), field(device.name), field(device.token)] : [field(device.name)]
  return packet(0x10, Buffer.concat([field('MQTT'), Buffer.of(4, device.token ? 0xc0 : 0, 0, 120), ...payload]))
}

function publishPacket(device: Device, n: number, dup: boolean): Buffer {
  const payload = `{"seq":${n},"values":{"${SIGNAL}":${valueFor(n)}}}`
  return packet(
    dup ? 0x3a : 0x32,
    Buffer.concat([field(`devices/${device.name}/telemetry`), Buffer.of(0, 1), Buffer.from(payload)]),
  )
}

async function untilIn(device: Device, index: number, n: number, until: number): Promise<Socket | null> {
  for (let tries = 0; performance.now() < until; tries++) {
    const socket = await attempt(device, index, n, tries > 0)
    if (socket) return socket
    await new Promise((go) => setTimeout(go, Math.min(5_000, 100 * 2 ** tries) * (0.5 + Math.random())))
  }
  return null
}

async function main(): Promise<void> {
  const storms: StormOutcome['storms'][number][] = []
  for (let storm = 1; storm <= plan.storms; storm++) {
    Object.assign(counts, { refusedBusy: 0, dropped: 0, silent: 0 })
    const began = performance.now()
    const sockets = await Promise.all(
      plan.devices.map((device, index) => untilIn(device, index, storm, began + plan.patienceMs)),
    )
    const seconds = (performance.now() - began) / 1000
    storms.push({ seconds, in: sockets.filter((socket) => socket && !socket.destroyed).length, ...counts })
    process.send!({ storm, ...storms.at(-1) })
    // The site's switch restarts.
    for (const socket of sockets) socket?.destroy()
  }
  writeFileSync(plan.ackFile, acknowledged.join('\n'))
  process.send!({ storms } satisfies StormOutcome, () => process.exit(0))
}

void main()
