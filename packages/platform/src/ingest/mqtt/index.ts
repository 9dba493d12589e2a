/** The MQTT door, as the ingest room opens it. */
export { mqttErrors } from './errors.ts'
export type {
  ClientCertificate,
  DeviceSettings,
  Hello,
  LastWill,
  MqttHost,
  OpenedSession,
  SetAsideFrame,
  Verdict,
} from './host.ts'
export { defaultLimits, type Limits } from './limits.ts'
export type { Address, PlainListen, TlsCertificate, TlsListen } from './listeners.ts'
export { type MqttDoor, type MqttDoorOptions, openMqttDoor } from './mqtt-door.ts'
export { makePostgresSessionStore } from './postgres-session-store.ts'
export type { Closing } from './reason-codes.ts'
export type { SessionStore } from './session-store.ts'
