/**
 * Whether a data directory is the demo's. The mark lies with the data and not in a setting: whichever command opens them, and
 * whenever, the pages say that nobody in them is real; and no setting can say so of real ones.
 */
import { existsSync } from 'node:fs'
import { join } from 'node:path'

/** What the demo keeps for its devices and people; it lies in the data directory from the demo's first moment on. */
export const DEMO_FILE = 'demo.json'

export const isDemoData = (dataDir: string): boolean => existsSync(join(dataDir, DEMO_FILE))
