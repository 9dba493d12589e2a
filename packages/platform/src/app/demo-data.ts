/**
 * Whether a data directory is the demo's. The mark lies with the data and not in a setting: whichever command opens them, and
 * whenever, the pages say that nobody in them is real; and no setting can say so of real ones.
 */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { Config } from './config.ts'

/** What the demo keeps for its devices and people; it lies in the data directory from the demo's first moment on. */
export const DEMO_FILE = 'demo.json'

/** In an external database there are never a demo's data, whatever lies in the folder beside it: the demo opens none. */
export const isDemoData = ({ dataDir, databaseUrl }: Pick<Config, 'dataDir' | 'databaseUrl'>): boolean =>
  databaseUrl === undefined && existsSync(join(dataDir, DEMO_FILE))
