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

type DoorConfig = Pick<Config, 'mqtt' | 'mqtts' | 'serverNames'>

/** All or none: when a port is taken, what was opened before it is closed again. */
export async function openDoors(rooms: Rooms, config: DoorConfig): Promise<Doors> {
  const { engine, fleet } = rooms
  const ends: (() => unknown)[] = []
  const close = async () => {
    while (ends.length > 0) await ends.pop()!()
  }
  try {
    const ingest = await openIngest(engine, { attribution: fleet.attribution })
    ends.push(ingest.close)
    const mqtt = await openMqtt(rooms, ingest, config, ends)
    ingest.onTakenOver((devices) => {
      for (const device of devices) mqtt.disconnect(device, 'moved-elsewhere')
    })
    ends.push(
      engine.db.onFacts(['CredentialRevoked'], (fact) => {
        if ('credential' in fact.body) mqtt.disconnect(fact.body.device, 'revoked', fact.body.credential)
      }),
    )
    return { ingest, mqtt, close }
  } catch (error) {
    await close().catch((err: unknown) => engine.watch.log.warn({ err }, 'a door did not close'))
    throw error
  }
}

async function openMqtt(
  { engine, fleet }: Rooms,
  ingest: OpenIngest,
  config: DoorConfig,
  ends: (() => unknown)[],
): Promise<MqttDoor> {
  const { clock, ids, watch } = engine
  // The door's own certificate, from the built-in authority, renewed while the server runs.
  const names = [hostname(), ...config.serverNames]
  const identity = await keepServerCertificate(engine, await ensureCa(engine), names, (next) =>
    mqtt.renewCertificate(next),
  )
  ends.push(identity.stop)
  const mqtt: MqttDoor = await openMqttDoor({
    ...(config.mqtt ? { plain: config.mqtt } : {}),
    ...(config.mqtts ? { tls: { ...config.mqtts, ...identity.first } } : {}),
    host: makeMqttHost({ engine, fleet, ingest }),
    store: makePostgresSessionStore(engine.db, watch.metrics),
    ...{ clock, ids, watch },
  })
  ends.push(mqtt.close)
  return mqtt
}
