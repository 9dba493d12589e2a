/** Which session a connection goes on with: the one in memory, the one stored, or a new one. */
import type { IConnectPacket } from 'mqtt-packet'
import type { DeviceIdentity } from '../door.ts'
import type { Connection } from './connection.ts'
import { Session } from './session.ts'
import type { SessionKey } from './session-store.ts'

/** @throws Failure `mqtt-sessions-unavailable` */
export async function startSession(
  connection: Connection,
  key: SessionKey,
  device: DeviceIdentity,
  packet: IConnectPacket,
  version: 4 | 5,
): Promise<{ session: Session; present: boolean }> {
  const { sessions, store, clock, wills, limits } = connection.state
  const clean = packet.clean ?? false
  wills.returned(key, clean, clock.now())
  let session = clean ? null : sessions.living(key)
  let present = session !== null
  if (!session) {
    session = new Session(key, device)
    if (clean) await store.forget(key)
    else {
      const state = await store.load(key, clock.now())
      if (state) session.restore(state)
      present = state !== null
    }
    sessions.begin(session)
  }
  const asked =
    version === 5 ? (packet.properties?.sessionExpiryInterval ?? 0) : clean ? 0 : limits.maxSessionExpirySeconds
  const wasKept = present && asked === 0
  session.expirySeconds = Math.min(asked, limits.maxSessionExpirySeconds)
  // Stored before CONNACK, so that "session present" is true after a crash as well, and what is now to end with its connection is not.
  if (wasKept) await store.forget(key)
  else await session.save(store, clock.now())
  return { session, present }
}
