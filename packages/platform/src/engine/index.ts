export { moved } from './compute/moved.ts'

export { masterKeyPath, type OpenedMasterKey, openMasterKey } from './keys/open-master-key.ts'
export { openBytes, sealBytes } from './keys/sealed.ts'
export { migrate } from './migrate/index.ts'
export { type EngineOptions, type OpenEngine, openEngine } from './open-engine.ts'
export type * from './ports.ts'
export * from './postgres/index.ts'
export { makeWatch } from './watch/watch.ts'
