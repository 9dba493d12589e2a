/** One socket: reads packets while it may, answers them, and ends with a reason. What packets mean is told in the *-flow files. */
import type { Socket } from 'node:net'
import { TLSSocket } from 'node:tls'
import type { DeviceIdentity } from '../door.ts'
import type { Pending } from './acknowledge-flow.ts'
import type { Client } from './client.ts'
import { openClient } from './connect-flow.ts'
import { type DoorState, flushSoon } from './door-state.ts'
import type { ClientCertificate } from './host.ts'
import { dispatch } from './packet-flow.ts'
import { PacketReader } from './packet-reader.ts'
import { type Closing, closings } from './reason-codes.ts'
import { writePacket } from './write-packet.ts'

/** Why a socket is not read: bits of `blocked`. */
export const Block = {
  opening: 1,
  /** As many publishes are being accepted as this client may have. */
  window: 2,
  pressure: 4,
  /** The client does not read what we send. */
  unsent: 8,
  overload: 16,
  closing: 32,
  /** It has brought more messages than its class may for now. */
  hurry: 64,
} as const

/** Time for a closing client to take its last bytes, ms. */
export const CLOSING_MS = 2_000

export class Connection {
  readonly state: DoorState
  readonly socket: Socket
  readonly door: 'mqtt' | 'mqtts'
  readonly reader: PacketReader
  phase: 'waiting' | 'opening' | 'open' | 'closing' | 'closed' = 'waiting'
  /** Who it is, from the moment its credential was checked. */
  device: DeviceIdentity | null = null
  client: Client | null = null
  /** Settled when the opening of this connection is over, one way or the other. */
  opening: Promise<void> | null = null
  blocked = 0
  /** Publishes whose outcome is not known yet, all QoS; those of QoS 1 and 2 stand in order from `head`. */
  inFlight = 0
  head: Pending | null = null
  tail: Pending | null = null
  /** QoS 1 and 2 publishes on this connection that are not finished (MQTT 5, 4.9). */
  unfinishedQos1 = 0
  unfinishedQos2: Set<number> | null = null
  /** Clock time of the last whole packet, of the first byte of a packet that is not whole (0 = none), of a coming end (0 = none). */
  heardAt: number
  partialSince = 0
  endAt = 0
  #out: Buffer[] = []
  #buffered = 0

  constructor(state: DoorState, socket: Socket, door: 'mqtt' | 'mqtts') {
    this.state = state
    this.socket = socket
    this.door = door
    this.reader = new PacketReader(state.limits.maxConnectBytes)
    this.heardAt = state.clock.now()
    state.connections.add(this)
    socket.on('data', (chunk: Buffer) => this.#heard(chunk))
    socket.on('drain', () => this.unblock(Block.unsent))
    // An error is always followed by close; without a listener it would end the process.
    socket.on('error', () => {})
    socket.on('close', () => this.#gone())
  }

  get certificate(): ClientCertificate | undefined {
    if (!(this.socket instanceof TLSSocket) || !this.socket.authorized) return undefined
    const found = this.socket.getPeerX509Certificate()
    if (!found) return undefined
    const { fingerprint256, serialNumber, subject, raw } = found
    return { fingerprint256, serialNumber, subject, raw }
  }

  /** Queues bytes; they leave with all else of this turn. */
  send(bytes: Buffer) {
    if (this.#out.push(bytes) === 1) flushSoon(this.state, this)
  }

  flush() {
    const out = this.#out
    if (out.length === 0 || this.phase === 'closed') return
    this.#out = []
    const taken = this.socket.write(out.length === 1 ? out[0]! : Buffer.concat(out))
    if (taken || this.phase === 'closing') return
    if (this.socket.writableLength > this.state.limits.maxUnsentBytes) this.close('slow-reader')
    else this.block(Block.unsent)
  }

  block(bit: number) {
    if (this.blocked === 0) this.socket.pause()
    this.blocked |= bit
  }

  unblock(bit: number) {
    if ((this.blocked & bit) === 0) return
    this.blocked &= ~bit
    if (this.blocked !== 0) return
    // It could not be heard while we did not listen.
    this.heardAt = this.state.clock.now()
    if (this.partialSince > 0) this.partialSince = this.heardAt
    this.pump()
    if (this.blocked === 0) this.socket.resume()
  }

  /** Reads nothing more; what was read is still acknowledged. */
  drain() {
    this.block(Block.closing)
  }

  /** Handles the whole packets that are there, until one blocks or ends the connection. */
  pump() {
    const now = this.state.clock.now()
    const { reader } = this
    let whole = false
    while (this.blocked === 0) {
      // Rubbish and other protocols are known by their first byte: only CONNECT may open a conversation [MQTT-3.1.0-1].
      if (this.phase === 'waiting' && reader.peek() >= 0 && reader.peek() !== 0x10) return this.close('protocol-error')
      const next = reader.next()
      if (next === 'packet') {
        whole = true
        this.heardAt = now
        if (this.phase === 'waiting') openClient(this)
        else dispatch(this, this.client!, now)
      } else if (next === 'more') break
      else return this.close(next === 'too-large' ? 'packet-too-large' : 'malformed')
    }
    const kept = reader.kept
    if (kept === 0) this.partialSince = 0
    else if (whole || this.partialSince === 0) this.partialSince = now
    this.#countBuffered(this.phase === 'closing' || this.phase === 'closed' ? 0 : kept)
  }

  /** Ends the connection; a 5.0 client that was let in is told why. Says the will, unless the client left with a word. */
  close(why: Closing) {
    if (this.phase === 'closing' || this.phase === 'closed') return
    const tells = this.phase === 'open' && this.client!.version === 5 && !leftByItself.has(why)
    if (tells) this.send(writePacket({ cmd: 'disconnect', reasonCode: closings[why] }, 5))
    this.phase = 'closing'
    this.#leave(why)
    this.flush()
    this.block(Block.closing)
    this.endAt = this.state.clock.now() + CLOSING_MS
    // What the client still sends is thrown away, else a full receive buffer keeps its socket, and ours, from ending.
    this.socket.removeAllListeners('data')
    this.socket.resume()
    this.socket.end()
    this.state.counts.closed(why)
  }

  #heard(chunk: Buffer) {
    this.reader.feed(chunk)
    if (this.state.host.pressure() >= this.state.limits.pausePressure && this.phase === 'open') {
      this.state.paused.add(this)
      this.state.counts.paused = this.state.paused.size
      this.block(Block.pressure)
    }
    this.pump()
  }

  #gone() {
    if (this.phase !== 'closing' && this.phase !== 'closed') {
      this.#leave('socket-closed')
      this.state.counts.closed('socket-closed')
    }
    this.phase = 'closed'
    this.#countBuffered(0)
    this.state.connections.delete(this)
  }

  /** What others must know: the will, the session's place, the host. Once a connection, before its socket is let go. */
  #leave(why: Closing) {
    const { state, client } = this
    this.#countBuffered(0)
    state.paused.delete(this)
    this.#forgetDevice()
    if (!client) return
    const now = state.clock.now()
    const { session, opened } = client
    if (client.will && !silences.has(why))
      state.wills.leave(session.key, client.will, now, session.expirySeconds * 1000)
    client.will = null
    state.sessions.vacate(session.key, this, now)
    state.counts.connections -= 1
    state.host.closed(opened, why)
  }

  /** From now on the connection can be found by its device: to be closed when a credential is revoked, also while it opens. */
  belongTo(device: DeviceIdentity) {
    this.device = device
    const peers = this.state.byDevice.get(device.device)
    if (peers) peers.add(this)
    else this.state.byDevice.set(device.device, new Set([this]))
  }

  #forgetDevice() {
    if (!this.device) return
    const peers = this.state.byDevice.get(this.device.device)
    peers?.delete(this)
    if (peers?.size === 0) this.state.byDevice.delete(this.device.device)
  }

  #countBuffered(kept: number) {
    if (kept === this.#buffered) return
    const { counts, limits } = this.state
    counts.bufferedBytes += kept - this.#buffered
    this.#buffered = kept
    if (kept > 0 && counts.bufferedBytes > limits.maxBufferedBytes) this.close('buffers-full')
  }
}

const leftByItself = new Set<Closing>(['client-left', 'client-left-with-will', 'socket-closed'])

/**
 * Endings after which a will would tell a lie. On shutdown the devices are not gone, we are: the `door-down` entry says so (MQTT 5.0
 * lets a server defer wills over its shutdown). A revoked device says nothing any more.
 */
const silences = new Set<Closing>(['client-left', 'server-closing', 'moved-elsewhere', 'revoked'])
