/** What time does to connections: one walk a second over all, instead of a timer for each. */
import { Block, type Connection } from './connection.ts'
import type { DoorState } from './door-state.ts'

export const SWEEP_MS = 1_000

/** A connection that waits in line for its credential check may wait this many times longer than one that says nothing. */
const LINE_FACTOR = 4

export function sweep(state: DoorState) {
  const now = state.clock.now()
  for (const connection of state.connections) sweepOne(connection, now)
  state.wills.sweep(now)
  state.sessions.retry(now)
}

function sweepOne(connection: Connection, now: number) {
  const { limits } = connection.state
  const silentMs = now - connection.heardAt
  if (isRevoked(connection)) return connection.close('revoked')
  switch (connection.phase) {
    case 'waiting':
      if (silentMs > limits.connectTimeoutMs) connection.close('connect-timeout')
      return
    case 'opening':
      if (silentMs > limits.connectTimeoutMs * LINE_FACTOR) connection.close('connect-timeout')
      return
    case 'closing':
      if (now >= connection.endAt) connection.socket.destroy()
      return
    case 'open':
      return sweepOpen(connection, now, silentMs)
  }
}

/**
 * The fact of a revocation closes what is open at that moment. A device that comes back while this process still takes its
 * credential for good, and one whose credential expires, are found here.
 */
function isRevoked({ phase, device, state }: Connection): boolean {
  return (phase === 'opening' || phase === 'open') && device !== null && !state.host.isGood(device.credential)
}

function sweepOpen(connection: Connection, now: number, silentMs: number) {
  if (connection.endAt > 0 && now >= connection.endAt) return connection.close('overloaded')
  sweepHurry(connection, now)
  // Whom we do not read cannot be heard. One who does not read us is not excused.
  if ((connection.blocked & ~Block.unsent) !== 0) return
  const { silenceMs } = connection.client!
  if (silenceMs > 0 && silentMs > silenceMs) return connection.close('keep-alive')
  if (connection.partialSince > 0 && now - connection.partialSince > connection.state.limits.packetTimeoutMs)
    connection.close('packet-timeout')
}

/** Somebody who is held up at every look for this long is told of. */
const HURRY_MS = 60_000

function sweepHurry(connection: Connection, now: number) {
  const client = connection.client!
  if ((connection.blocked & Block.hurry) === 0) {
    client.hurriesSince = 0
    return
  }
  if (client.hurriesSince === 0) client.hurriesSince = now
  else if (now - client.hurriesSince >= HURRY_MS) connection.state.host.hurries(client.device)
  if (client.turns.mayGoOn(now)) connection.unblock(Block.hurry)
}

/** Reads on the sockets that were left unread, once the log has room. */
export function resumePaused(state: DoorState) {
  if (state.paused.size === 0 || state.host.pressure() > state.limits.resumePressure) return
  for (const connection of [...state.paused]) {
    state.paused.delete(connection)
    connection.unblock(Block.pressure)
  }
  state.counts.paused = state.paused.size
}

/** Moves the stored time of living sessions on, so that none ends while its client is connected. */
export async function keepSessions(state: DoorState): Promise<void> {
  const now = state.clock.now()
  const saves: Promise<void>[] = []
  for (const { phase, client } of state.connections)
    if (phase === 'open' && client) saves.push(client.session.save(state.store, now))
  // One that moved to another process is kept up there.
  await Promise.allSettled(saves)
  await state.store.expire(now)
}
