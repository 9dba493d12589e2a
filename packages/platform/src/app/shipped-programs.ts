import { fileURLToPath } from 'node:url'

/** Folder of the programs that come with this version. */
export const shippedPrograms = fileURLToPath(new URL('../../../../programs', import.meta.url))
