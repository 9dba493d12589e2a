/** What comes to a port that is open to the world: noise, halves, the wrong protocol, and those who say nothing for a long time. */
import { randomBytes } from 'node:crypto'
import { connect, type Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'

/** Found nowhere but in what a stranger sent: it must not come out in a log. */
export const CANARY = 'rubbish-canary-7f3a'

/** One stranger: sends its bytes, then stays until the server ends the connection or it has had enough. Resolves with what it heard. */
export interface Stranger {
  readonly name: string
  /** Speaks TLS before its bytes. */
  readonly tls?: boolean
  readonly bytes: () => Buffer
  /** Sends a byte at a time, this far apart. */
  readonly dripMs?: number
  /** Does not say good-bye after its bytes: waits for the server to end it. */
  readonly stays?: boolean
}

const http = (head: string, body = '') => Buffer.from(`${head}\r\nhost: localhost\r\n\r\n${body}`)
const mqttConnect = Buffer.concat([Buffer.of(0x10, 42), Buffer.from('\0\x04MQTT\x04\xc2\0\x3c', 'latin1')])

export const strangers: readonly Stranger[] = [
  { name: 'random bytes', bytes: () => randomBytes(1 + Math.floor(Math.random() * 4096)) },
  { name: 'much noise', bytes: () => randomBytes(512 * 1024) },
  { name: 'nothing at all', bytes: () => Buffer.alloc(0), stays: true },
  { name: 'half a CONNECT', bytes: () => mqttConnect, stays: true },
  {
    name: 'a CONNECT, byte by byte',
    bytes: () => Buffer.concat([mqttConnect, Buffer.from(CANARY)]),
    dripMs: 100,
    stays: true,
  },
  {
    name: 'a packet said to be 256 MB',
    bytes: () => Buffer.concat([Buffer.of(0x10, 0xff, 0xff, 0xff, 0x7f), Buffer.from(CANARY)]),
  },
  {
    name: 'a PUBLISH before CONNECT',
    bytes: () => Buffer.concat([Buffer.of(0x32, 24, 0, 1, 0x61, 0, 1), Buffer.from(CANARY)]),
  },
  { name: 'an unknown credential', bytes: () => connectAs(CANARY, CANARY) },
  { name: 'HTTP', bytes: () => http(`GET /${CANARY} HTTP/1.1`) },
  { name: 'a broken request', bytes: () => Buffer.from(`GET / HTTP/9.9\r\n${CANARY}\r\n\r\n`) },
  {
    name: 'a request with two lengths',
    bytes: () =>
      http('POST /api/v1/ingest HTTP/1.1\r\ncontent-length: 4\r\ntransfer-encoding: chunked', '0\r\n\r\nGET /x'),
  },
  {
    name: 'endless headers',
    bytes: () => Buffer.from(`GET / HTTP/1.1\r\n${`x-${CANARY}: ${'y'.repeat(1000)}\r\n`.repeat(100)}`),
  },
  {
    name: 'headers, byte by byte',
    bytes: () => http(`GET /${CANARY} HTTP/1.1\r\nx-a: ${'b'.repeat(500)}`),
    dripMs: 100,
    stays: true,
  },
  {
    name: 'a body that never comes',
    bytes: () => http('POST /api/v1/ingest HTTP/1.1\r\ncontent-length: 1000000', '{"values":'),
    stays: true,
  },
  { name: 'a TLS hello', bytes: () => Buffer.from('160301020001000001fc0303', 'hex'), stays: true },
  { name: 'noise inside TLS', tls: true, bytes: () => Buffer.concat([randomBytes(2000), Buffer.from(CANARY)]) },
  { name: 'nothing inside TLS', tls: true, bytes: () => Buffer.alloc(0), stays: true },
]

function connectAs(username: string, password: string): Buffer {
  const field = (text: string) => Buffer.concat([Buffer.of(0, text.length), Buffer.from(text)])
  const body = Buffer.concat([
    field('MQTT'),
    Buffer.of(4, 0xc2, 0, 60),
    field('rubbish'),
    field(username),
    field(password),
  ])
  return Buffer.concat([Buffer.of(0x10, body.length), body])
}

/** Visits a port as that stranger. Gives up after `patienceMs`, which a stranger that says it stays may need. */
export function visit(port: number, stranger: Stranger, patienceMs: number): Promise<'ended by the server' | 'left'> {
  return new Promise((resolve) => {
    const to = { host: '127.0.0.1', port }
    const socket: Socket = stranger.tls ? connectTls({ ...to, rejectUnauthorized: false }) : connect(to)
    const gone = setTimeout(() => end('left'), stranger.stays || stranger.dripMs ? patienceMs : 1_000)
    let dripping: NodeJS.Timeout | undefined
    const end = (how: 'ended by the server' | 'left') => {
      clearTimeout(gone)
      clearInterval(dripping)
      socket.destroy()
      resolve(how)
    }
    socket.on('error', () => {})
    socket.on('data', () => {})
    socket.once('close', () => end('ended by the server'))
    socket.once(stranger.tls ? 'secureConnect' : 'connect', () => {
      const bytes = stranger.bytes()
      if (!stranger.dripMs) return void socket.write(bytes)
      let at = 0
      dripping = setInterval(() => at < bytes.length && socket.write(bytes.subarray(at, ++at)), stranger.dripMs)
    })
  })
}
