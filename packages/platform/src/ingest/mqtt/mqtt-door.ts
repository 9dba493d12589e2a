/**
 * The MQTT door (3.1.1 and 5.0): everything from a device's socket to `accept` and back. A door, not a broker: devices publish
 * readings and hear their own settings.
 */
import type { Socket } from 'node:net'
import type { Clock, Ids, Watch } from '../../engine/index.ts'
import { Connection } from './connection.ts'
import { Counts, exposeCounts } from './counts.ts'
import type { DoorState } from './door-state.ts'
import { Gate } from './gate.ts'
import type { MqttHost } from './host.ts'
import { WillKeeper } from './last-will.ts'
import { defaultLimits, type Limits } from './limits.ts'
import {
  type Address,
  type Listener,
  listenPlain,
  listenTls,
  type PlainListen,
  type TlsCertificate,
  type TlsListen,
} from './listeners.ts'
import type { SessionStore } from './session-store.ts'
import { SessionTable } from './session-table.ts'
import { settingsChanged } from './settings-flow.ts'
import { keepSessions, resumePaused, SWEEP_MS, sweep } from './sweep.ts'

export interface MqttDoorOptions {
  /** Plain TCP, for devices on this machine or behind a gateway's own encryption. */
  readonly plain?: PlainListen
  readonly tls?: TlsListen
  readonly host: MqttHost
  readonly store: SessionStore
  readonly clock: Clock
  readonly ids: Ids
  readonly watch: Watch
  readonly limits?: Partial<Limits>
}

export interface MqttDoor {
  readonly addresses: readonly Address[]
  /** Devices connected now. */
  connections(): number
  /**
   * Closes all connections of a device, e.g. when its credential is revoked or another process has claimed it.
   * @param credential only those that came with this credential
   * @returns how many
   */
  disconnect(device: string, why: 'revoked' | 'administrative' | 'moved-elsewhere', credential?: string): number
  /** New handshakes get this certificate; open connections keep theirs. */
  renewCertificate(certificate: TlsCertificate): void
  /** Stops listening, lets publishes under way be acknowledged, then sends the devices away. Wills of connected devices are not said. */
  close(): Promise<void>
}

/** How often the log's fill is looked at while sockets are left unread, ms. */
const RESUME_MS = 25
const KEEP_SESSIONS_MS = 6 * 3_600_000
/** Beyond its limit by this factor a door answers no more, it drops sockets. */
const DROP_FACTOR = 1.1
/** How long a closing door waits for publishes under way, ms. */
const CLOSE_WAIT_MS = 5_000

/** @throws Failure `mqtt-port-unavailable` */
export async function openMqttDoor(options: MqttDoorOptions): Promise<MqttDoor> {
  const state = makeState(options)
  const { clock, limits, counts, log } = state
  const take = (door: Address['door']) => (socket: Socket) => {
    // Answering costs as much as serving: far beyond the limit nobody is answered.
    if (state.closing || state.connections.size >= limits.maxConnections * DROP_FACTOR) {
      counts.connected('dropped')
      socket.destroy()
    } else new Connection(state, socket, door)
  }
  const refuseTls = () => counts.connected('refused-tls')
  const listeners = await listenAll(options, [
    () => options.plain && listenPlain(options.plain, take('mqtt')),
    () => options.tls && listenTls(options.tls, limits.connectTimeoutMs, take('mqtts'), refuseTls),
  ])
  const stops = [
    exposeCounts(counts, options.watch.metrics),
    clock.every(SWEEP_MS, () => sweep(state)),
    clock.every(RESUME_MS, () => resumePaused(state)),
    clock.every(KEEP_SESSIONS_MS, () => {
      keepSessions(state).catch((error: unknown) =>
        log.warn({ err: error }, 'stored MQTT sessions could not be kept up'),
      )
    }),
    options.host.onSettings((device) => settingsChanged(state.byDevice.get(device) ?? [])),
  ]
  let closed: Promise<void> | undefined
  return {
    addresses: listeners.map(({ address }) => address),
    connections: () => counts.connections,
    disconnect: (device, why, credential) => disconnect(state, device, why, credential),
    renewCertificate(certificate) {
      for (const listener of listeners) listener.renew(certificate)
    },
    close() {
      closed ??= close(state, listeners, stops)
      return closed
    },
  }
}

function makeState(options: MqttDoorOptions): DoorState {
  const { host, store, clock, ids } = options
  const limits = { ...defaultLimits, ...options.limits }
  const counts = new Counts()
  const log = options.watch.log.child({ room: 'ingest', door: 'mqtt' })
  return {
    host,
    limits,
    clock,
    ids,
    log,
    counts,
    store,
    sessions: new SessionTable(store),
    wills: new WillKeeper({ host, log, counts, mostPerDevice: limits.maxWillsPerDevice }),
    gate: new Gate(limits.maxAuthenticating, limits.maxConnections),
    connections: new Set(),
    byDevice: new Map(),
    paused: new Set(),
    dirty: [],
    flushing: false,
    closing: false,
  }
}

/** All or none. */
async function listenAll(
  options: MqttDoorOptions,
  starts: readonly (() => Promise<Listener> | undefined)[],
): Promise<Listener[]> {
  const listeners: Listener[] = []
  try {
    for (const start of starts) {
      const listener = await start()
      if (listener) listeners.push(listener)
    }
  } catch (error) {
    for (const { server } of listeners) server.close()
    throw error
  }
  for (const { server } of listeners)
    server.on('error', (error) => options.watch.log.error({ err: error }, 'an MQTT listener failed'))
  return listeners
}

function disconnect(
  state: DoorState,
  device: string,
  why: Parameters<MqttDoor['disconnect']>[1],
  credential?: string,
): number {
  if (why === 'moved-elsewhere') state.wills.cancel(device)
  let count = 0
  for (const connection of [...(state.byDevice.get(device) ?? [])]) {
    if (credential !== undefined && connection.device?.credential !== credential) continue
    connection.close(why)
    count += 1
  }
  return count
}

async function close(state: DoorState, listeners: readonly Listener[], stops: readonly (() => void)[]): Promise<void> {
  state.closing = true
  const ended = listeners.map(({ server }) => new Promise((resolve) => server.close(resolve)))
  const all = [...state.connections]
  for (const connection of all) connection.drain()
  await underWay(all)
  for (const connection of all) connection.close('server-closing')
  await state.wills.drain(state.clock.now())
  const unsaved = await state.sessions.saved()
  if (unsaved > 0)
    state.log.warn({ count: unsaved }, 'sessions of devices could not be stored; they go on as last stored')
  // A client that never takes its last bytes must not keep the process.
  const impatience = setTimeout(() => {
    for (const listener of listeners) listener.destroySockets()
  }, CLOSE_WAIT_MS)
  await Promise.all(ended)
  clearTimeout(impatience)
  for (const stop of stops) stop()
}

/** Resolves when the publishes that were read have been settled, or after CLOSE_WAIT_MS: what is not acknowledged is sent again. */
function underWay(connections: readonly Connection[]): Promise<void> {
  return new Promise((resolve) => {
    let left = CLOSE_WAIT_MS
    const look = () => {
      if (left <= 0 || connections.every(({ inFlight, phase }) => inFlight === 0 || phase !== 'open')) return resolve()
      left -= RESUME_MS
      setTimeout(look, RESUME_MS)
    }
    look()
  })
}
