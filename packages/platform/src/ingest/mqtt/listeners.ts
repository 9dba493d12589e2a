/** The sockets that the door listens on: plain TCP for the loopback, TLS with client certificates for the world. */
import { createServer as createTcpServer, type Server, type Socket } from 'node:net'
import { createServer as createTlsServer, type TLSSocket } from 'node:tls'
import { mqttFailure } from './errors.ts'

export interface PlainListen {
  readonly host: string
  /** 0 = any free one */
  readonly port: number
}

/** PEM, as `tls.createServer` takes them. */
export interface TlsCertificate {
  readonly key: string
  readonly cert: string
  /** The CAs whose client certificates are taken. */
  readonly ca: string
}

export interface TlsListen extends PlainListen, TlsCertificate {
  readonly minVersion?: 'TLSv1.2' | 'TLSv1.3'
  /** Clients must show a certificate from `ca`. Default true. */
  readonly requestCert?: boolean
}

export interface Address {
  readonly door: 'mqtt' | 'mqtts'
  readonly host: string
  readonly port: number
}

export interface Listener {
  readonly address: Address
  readonly server: Server
  /** Ends all its sockets at once, also those whose TLS handshake is under way. */
  destroySockets(): void
  /** Shows another certificate from now on; open connections keep theirs. Nothing to do without TLS. */
  renew(certificate: TlsCertificate): void
}

/** The kernel takes the smaller of this and net.core.somaxconn: a site that comes back at once does so in thousands. */
const BACKLOG = 4_096
/** Silence on TCP after which the kernel asks whether the other side is still there, ms. */
const PROBE_MS = 60_000

export function listenPlain(listen: PlainListen, taken: (socket: Socket) => void): Promise<Listener> {
  const server = createTcpServer({ noDelay: true, keepAlive: true, keepAliveInitialDelay: PROBE_MS }, taken)
  return start(server, listen, 'mqtt')
}

/** @param refused hears of each handshake that failed */
export async function listenTls(
  listen: TlsListen,
  handshakeTimeoutMs: number,
  taken: (socket: TLSSocket) => void,
  refused: (error: Error) => void,
): Promise<Listener> {
  const requestCert = listen.requestCert ?? true
  const minVersion = listen.minVersion ?? 'TLSv1.2'
  const server = createTlsServer(
    {
      key: listen.key,
      cert: listen.cert,
      ca: listen.ca,
      minVersion,
      requestCert,
      rejectUnauthorized: requestCert,
      handshakeTimeout: handshakeTimeoutMs,
      noDelay: true,
      keepAlive: true,
      keepAliveInitialDelay: PROBE_MS,
    },
    taken,
  )
  server.on('tlsClientError', (error: NodeJS.ErrnoException, socket) => {
    refused(error)
    // Node tells of a handshake that takes too long and leaves its socket open: whoever says nothing would keep its place for ever.
    if (error.code === 'ERR_TLS_HANDSHAKE_TIMEOUT') socket.destroy()
  })
  const listener = await start(server, listen, 'mqtts')
  return { ...listener, renew: ({ key, cert, ca }) => server.setSecureContext({ key, cert, ca, minVersion }) }
}

function start(server: Server, { host, port }: PlainListen, door: Address['door']): Promise<Listener> {
  const sockets = new Set<Socket>()
  server.on('connection', (socket) => {
    sockets.add(socket)
    socket.once('close', () => sockets.delete(socket))
  })
  const destroySockets = () => {
    for (const socket of sockets) socket.destroy()
  }
  return new Promise((resolve, reject) => {
    server.once('error', (cause) => {
      const message = `The MQTT port ${host}:${port} cannot be listened on. Stop what holds it, or choose another.`
      reject(mqttFailure('mqtt-port-unavailable', message, { cause }))
    })
    server.listen({ host, port, backlog: BACKLOG }, () => {
      const bound = server.address()
      const address = { door, host, port: typeof bound === 'object' && bound ? bound.port : port }
      resolve({ server, address, destroySockets, renew() {} })
    })
  })
}
