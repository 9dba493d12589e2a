/** The ways in: MQTT with and without TLS, and what ingest needs behind them and behind HTTP. */
import { hostname } from 'node:os'
import { ensureCa, issueServerCertificate } from '../fleet/index.ts'
import {
  type MqttDoor,
  makeMqttHost,
  makePostgresSessionStore,
  type OpenIngest,
  openIngest,
  openMqttDoor,
} from '../ingest/index.ts'
import type { Config } from './config.ts'
import type { Rooms } from './rooms.ts'

export interface Doors {
  readonly ingest: OpenIngest
  readonly mqtt: MqttDoor
  close(): Promise<void>
}

export async function openDoors(rooms: Rooms, config: Pick<Config, 'mqtt' | 'mqtts' | 'serverNames'>): Promise<Doors> {
  const { engine, fleet } = rooms
  const ingest = await openIngest(engine, { attribution: fleet.attribution })
  const { accept, slots } = ingest
  const { clock, ids, watch } = engine
  const mqtt = await openMqttDoor({
    ...(config.mqtt ? { plain: config.mqtt } : {}),
    ...(config.mqtts ? { tls: { ...config.mqtts, ...(await serverIdentity(rooms, config.serverNames)) } } : {}),
    host: makeMqttHost({ engine, fleet, accept, slots }),
    store: makePostgresSessionStore(engine.db),
    ...{ clock, ids, watch },
  })
  ingest.onTakenOver((devices) => {
    for (const device of devices) mqtt.disconnect(device, 'moved-elsewhere')
  })
  const stopRevoked = engine.db.onFacts(['CredentialRevoked'], (fact) => {
    if ('credential' in fact.body) mqtt.disconnect(fact.body.device, 'revoked', fact.body.credential)
  })
  return {
    ingest,
    mqtt,
    async close() {
      stopRevoked()
      await mqtt.close()
      await ingest.close()
    },
  }
}

/** The door's own certificate, from the built-in authority, for this machine's names. */
async function serverIdentity(rooms: Rooms, names: readonly string[]) {
  const authority = await ensureCa(rooms.engine)
  const issued = await issueServerCertificate(rooms.engine, authority, { names: ['localhost', hostname(), ...names] })
  return { key: issued.privateKey, cert: issued.certificate, ca: issued.authority }
}
