/** The ways in: MQTT with and without TLS, and what ingest needs behind them and behind HTTP. */
import { hostname } from 'node:os'
import { ensureCa, keepServerCertificate } from '../fleet/index.ts'
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
  // The door's own certificate, from the built-in authority, renewed while the server runs.
  const names = [hostname(), ...config.serverNames]
  const identity = await keepServerCertificate(engine, await ensureCa(engine), names, (next) =>
    mqtt.renewCertificate(next),
  )
  const mqtt: MqttDoor = await openMqttDoor({
    ...(config.mqtt ? { plain: config.mqtt } : {}),
    ...(config.mqtts ? { tls: { ...config.mqtts, ...identity.first } } : {}),
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
      identity.stop()
      await mqtt.close()
      await ingest.close()
    },
  }
}
