/** Which session a connection goes on with: the one in memory, the one stored, or a new one. */
import type { IConnectPacket } from 'mqtt-packet'
import type { DeviceIdentity } from '../door.ts'
import type { Connection } from './connection.ts'
import { CRASH_GRACE_MS, Session } from './session.ts'
import type { SessionKey } from './session-store.ts'

export interface Started {
  readonly session: Session
  /** The client's session was there already. */
  readonly present: boolean
}

/**
 * What it changes is stored when it resolves, so that "session present" is true after a crash as well.
 * @throws Failure `mqtt-sessions-unavailable`
 */
export async function startSession(
  connection: Connection,
  key: SessionKey,
  device: DeviceIdentity,
  packet: IConnectPacket,
  version: 4 | 5,
): Promise<Started> {
  const { sessions, store, clock, ids, wills, limits } = connection.state
  const clean = packet.clean ?? false
  wills.returned(key, clean, clock.now())
  const asked =
    version === 5 ? (packet.properties?.sessionExpiryInterval ?? 0) : clean ? 0 : limits.maxSessionExpirySeconds
  const expirySeconds = Math.min(asked, limits.maxSessionExpirySeconds)
  const { session, present } = clean
    ? { session: new Session(key, device, ids.uuid()), present: false }
    : await resume(connection, key, device, expirySeconds)
  session.expirySeconds = expirySeconds
  sessions.begin(session)
  if (expirySeconds === 0) await store.forget(key)
  else if (clean) {
    await take(connection, key, session.owner, expirySeconds)
    await session.save(store, clock.now())
  }
  return { session, present }
}

async function resume(
  connection: Connection,
  key: SessionKey,
  device: DeviceIdentity,
  expirySeconds: number,
): Promise<Started> {
  const living = connection.state.sessions.living(key)
  const session = new Session(key, device, connection.state.ids.uuid())
  const before = await take(connection, key, session.owner, expirySeconds)
  // What is in memory knows more than what is stored, unless another process had the device in between.
  if (living && before?.owner === living.owner) {
    living.owner = session.owner
    living.expirySeconds = expirySeconds
    await living.save(connection.state.store, connection.state.clock.now())
    return { session: living, present: true }
  }
  if (before) session.restore(before.state)
  return { session, present: before !== null }
}

function take({ state }: Connection, key: SessionKey, owner: string, expirySeconds: number) {
  const now = state.clock.now()
  return state.store.take(key, owner, now, now + expirySeconds * 1000 + CRASH_GRACE_MS)
}
