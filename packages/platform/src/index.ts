/** What other packages start and stop: a whole platform, its configuration, and the words in which its rooms are asked. */

export { readPrograms } from './alerting/index.ts'
export { endOnCrash, endWithProcess } from './app/cli/start.ts'
export { type Config, readConfig } from './app/config.ts'
export { DEMO_FILE } from './app/demo-data.ts'
export { type Platform, startPlatform, webRoot } from './app/platform.ts'
export type { Rooms } from './app/rooms.ts'
export { makeWatch } from './engine/index.ts'
export { currentCode, demandsSecondFactor, newSecret } from './identity/index.ts'
export { type By, byConsole } from './subjects/index.ts'
