/** What all connections of a door share. */
import type { Logger } from 'pino'
import type { Clock, Ids } from '../../engine/index.ts'
import type { Connection } from './connection.ts'
import type { Counts } from './counts.ts'
import type { Gate } from './gate.ts'
import type { MqttHost } from './host.ts'
import type { WillKeeper } from './last-will.ts'
import type { Limits } from './limits.ts'
import type { SessionStore } from './session-store.ts'
import type { SessionTable } from './session-table.ts'

export interface DoorState {
  readonly host: MqttHost
  readonly limits: Limits
  readonly clock: Clock
  readonly ids: Ids
  readonly log: Logger
  readonly counts: Counts
  readonly store: SessionStore
  readonly sessions: SessionTable
  readonly wills: WillKeeper
  readonly gate: Gate
  readonly connections: Set<Connection>
  /** Open connections of each device, oldest first. */
  readonly byDevice: Map<string, Set<Connection>>
  /** Not read now because the log's queue is full. */
  readonly paused: Set<Connection>
  /** Have bytes to send; they go out together at the end of this turn of the event loop. */
  readonly dirty: Connection[]
  flushing: boolean
  closing: boolean
}

/**
 * Sends what acknowledgements have gathered, one write a socket: a group commit settles hundreds of publishes in one turn, and a
 * system call for each would cost more than all else.
 */
export function flushSoon(state: DoorState, connection: Connection): void {
  state.dirty.push(connection)
  if (state.flushing) return
  state.flushing = true
  setImmediate(flushAll, state)
}

function flushAll(state: DoorState): void {
  state.flushing = false
  for (const connection of state.dirty.splice(0)) connection.flush()
}
