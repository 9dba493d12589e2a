/** Where the key lies. Its default name is made of the database's place, and a restore may bring the database to another. */
import { access, readdir } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { openSigningKey } from './signing-key.ts'

const DEFAULT_NAME = /^audit-[0-9a-f]{8}\.key$/

/**
 * @param path as configured. Another is looked for only where it has a default name and is not there
 * @param origin of the trail, `careloop.audit/...`: a key of another trail is none. Absent where no database can be asked
 * @returns the only key beside it that fits, else the path itself
 */
export async function findKeyFile(path: string, origin?: string): Promise<string> {
  const isThere = await access(path).then(
    () => true,
    (cause: NodeJS.ErrnoException) => cause.code !== 'ENOENT',
  )
  if (isThere || !DEFAULT_NAME.test(basename(path))) return path
  const beside = await readdir(dirname(path)).catch(() => [])
  const fitting: string[] = []
  for (const name of beside.filter((each) => /^audit-.+\.key$/.test(each))) {
    const file = join(dirname(path), name)
    if (origin === undefined || (await originOf(file)) === origin) fitting.push(file)
  }
  return fitting.length === 1 ? fitting[0]! : path
}

/** undefined when it cannot be read: then it is not the one. */
async function originOf(file: string): Promise<string | undefined> {
  try {
    return (await (await openSigningKey(file, false)).read()).signer.name
  } catch {
    return undefined
  }
}
