/** `careloop audit begin-anew`: the key is lost, and the trail must go on being sealed. */
import type { Engine } from '../../engine/index.ts'
import { auditFailure } from '../errors.ts'
import { readCheckpoint } from './checkpoint.ts'
import { findKeyFile } from './find-key-file.ts'
import { writeNewKey } from './signing-key.ts'

/**
 * A new key of the same trail. Its first checkpoint says that the one before was lost, and why.
 * @param path as configured
 * @throws Failure `audit-key-there` when a key of this trail lies there, `audit-key-missing` when nothing was signed yet
 */
export async function beginAnew(
  engine: Pick<Engine, 'db'>,
  path: string,
  reason: string,
): Promise<{ readonly path: string; readonly verifierKey: string }> {
  const { rows } = await engine.db.pool.query<{ checkpoint: string }>(
    'select checkpoint from engine.audit_batch order by number desc limit 1',
  )
  const origin = rows[0] && readCheckpoint(rows[0].checkpoint)?.origin
  if (origin === undefined)
    throw auditFailure(
      'audit-key-missing',
      'Nothing was signed yet, so no key is lost. Start the server: it makes one.',
    )
  const place = await findKeyFile(path, origin)
  const log = origin.slice(origin.indexOf('/') + 1)
  return { path: place, verifierKey: await writeNewKey(place, log, reason) }
}
