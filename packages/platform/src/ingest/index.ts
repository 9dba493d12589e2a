/** Ingest: from a device's bytes to a durable, attributed reading. Owns quarantine, device marks, claims and MQTT sessions. */
export { settleDoors } from './claims/door-process.ts'
export type { Accept, Classification, DeviceIdentity, Frame, Receipt, SetAside } from './door.ts'
export { ingestErrors } from './errors.ts'
export { type IngestParts, type OpenIngest, openIngest } from './ingest.ts'
export { type MqttDoor, openMqttDoor } from './mqtt/mqtt-door.ts'
export { makePostgresSessionStore } from './mqtt/postgres-session-store.ts'
export { makeMqttHost } from './mqtt-host.ts'
export { makeQuarantine, type Quarantine } from './quarantine/quarantine.ts'
