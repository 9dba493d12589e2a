/** GET entries of a transaction: what stands at its end, in the same transaction, for whoever sent it. */
import type { TenantTx } from '../../engine/index.ts'
import { clinicalFailure } from '../errors.ts'
import type { FhirRoom } from '../rest/fhir-room.ts'
import { isUnchanged } from '../rest/preconditions.ts'
import type { FhirAnswer, FhirRequest } from '../rest/request.ts'
import { eyesFor, grantFor } from '../rights.ts'
import { auditRead, notFound, shownRow } from '../store/read.ts'
import { rowsByRid, versionOf } from '../store/rows.ts'
import type { BundleEntry } from './entry.ts'

/** @throws Failure `resource-not-found`, `resource-gone`, `interaction-not-served` */
export async function readEntry(
  room: FhirRoom,
  tx: TenantTx,
  { by }: FhirRequest,
  { path, conditions }: BundleEntry,
): Promise<FhirAnswer> {
  const [type, id, history, version] = path
  if (type === undefined || id === undefined || path.length === 3 || path.length > 4)
    throw clinicalFailure(
      'interaction-not-served',
      'A transaction reads by id, and searches by type; ask for the rest by itself, or in a batch.',
    )
  const eyes = await eyesFor(room.parts, grantFor(by, type, 'r'))
  const rid = (await room.ground.blinds(tx.tenant)).rid(type, id)
  const row = history === '_history' ? await versionOf(tx, rid, Number(version) || 0) : (await rowsByRid(tx, [rid]))[0]
  const stored = await shownRow(room, tx, eyes, row)
  if (stored === null) throw notFound()
  if (stored.isDeleted) throw clinicalFailure('resource-gone', 'It was deleted. Its versions stand in its history.')
  await auditRead(tx, eyes.granted.by, stored)
  return isUnchanged(conditions, stored) ? { status: 304, stored } : { status: 200, stored, body: stored }
}
