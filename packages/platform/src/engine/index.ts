export * from './backup/index.ts'
export { makeClock } from './clock/system-clock.ts'
export { moved } from './compute/moved.ts'
export { bigints, byteas, ints } from './db/binary-arrays.ts'
export { makeGather } from './db/gather.ts'
export { type Following, followAlone } from './facts/follow-alone.ts'
export { isPassing } from './facts/is-passing.ts'
export { makeIds } from './ids/ids.ts'
export { type KeyRing, type MasterKeys, masterKey, masterKeysOf, type Wrapped } from './keys/master-key.ts'
export { masterKeyPath, type OpenedMasterKey, openMasterKey } from './keys/open-master-key.ts'
export { openBytes, sealBytes } from './keys/sealed.ts'
export type { TransitPlace } from './keys/transit-client.ts'
export { transitMasterKeys } from './keys/transit-master-keys.ts'
export { type FoundEntry, followLog, followOnce, type LogFollower } from './log/follow-log.ts'
export { migrate } from './migrate/index.ts'
export { type GuardedFetch, makeGuardedFetch } from './net/guarded-fetch.ts'
export {
  assertOutboundUrl,
  isNetwork,
  type OutboundPolicy,
  type OutboundTarget,
  publicOnly,
} from './net/outbound-url.ts'
export type { ObjectStore, StoredObject } from './objects/object-store.ts'
export { type ObjectStoreSettings, readObjectStoreSettings } from './objects/object-store-settings.ts'
export { openObjectStore } from './objects/open-object-store.ts'
export { type EngineOptions, type OpenEngine, openEngine } from './open-engine.ts'
export type * from './ports.ts'
export * from './postgres/index.ts'
export { safeError } from './watch/safe-error.ts'
export { makeWatch } from './watch/watch.ts'
