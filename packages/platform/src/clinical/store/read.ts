/** One resource, or one version of it, for somebody. Who may not know of it hears what they would hear of none. */
import type { TenantTx } from '../../engine/index.ts'
import { audited, type By } from '../../subjects/index.ts'
import { clinicalFailure } from '../errors.ts'
import { type Eyes, eyesFor, grantFor } from '../rights.ts'
import type { Stored } from '../stored.ts'
import { kindWord } from './kind-word.ts'
import type { ClinicalRoom } from './room.ts'
import { openRow, type PlacedVersion, rowsByRid, versionOf } from './rows.ts'

/** @throws Failure `resource-not-found`, `resource-gone` */
export const readResource = (room: ClinicalRoom, by: By, type: string, id: string): Promise<Stored> =>
  readShown(room, by, { type, id }, (tx, rid) => tx.readOne(rowsByRid, rid))

/** @throws Failure `resource-not-found`; `resource-gone` when this version says that it was deleted */
export const readVersion = (
  room: ClinicalRoom,
  by: By,
  { type, id, version }: { type: string; id: string; version: number },
): Promise<Stored> => readShown(room, by, { type, id }, (tx, rid) => versionOf(tx, rid, version))

type Find = (tx: TenantTx, rid: string) => Promise<PlacedVersion | undefined>

async function readShown(
  room: ClinicalRoom,
  asked: By,
  { type, id }: { type: string; id: string },
  find: Find,
): Promise<Stored> {
  const { engine, blinds } = room.ground
  const granted = grantFor(asked, type, 'r')
  const eyes = await eyesFor(room.parts, granted)
  const rid = (await blinds(asked.tenant)).rid(type, id)
  return room.parts.consents.guard(granted.by, kindWord(type), (heldBack) =>
    engine.db.asTenantReading(asked.tenant, async (tx) => {
      const stored = await shownRow(room, tx, eyes, await find(tx, rid), heldBack)
      if (stored === null) throw notFound()
      if (stored.isDeleted) throw clinicalFailure('resource-gone', 'It was deleted. Its versions stand in its history.')
      await auditRead(tx, granted.by, stored)
      return stored
    }),
  )
}

/** The row opened, when there is one and it is shown to them; else null. */
export async function shownRow(
  { ground }: ClinicalRoom,
  tx: TenantTx,
  eyes: Eyes,
  row: PlacedVersion | undefined,
  heldBack?: (subject: string) => void,
): Promise<Stored | null> {
  if (row === undefined || !eyes.seesRow(row)) return null
  const stored = await openRow(ground.engine, tx.tenant, row)
  return (await eyes.shows(tx, stored, heldBack)) ? stored : null
}

export const auditRead = (tx: TenantTx, by: By, { type, rid, subject }: Stored): Promise<void> =>
  audited(tx, by, 'read', kindWord(type), { id: rid, ...(subject === null ? {} : { subjects: [subject] }) })

export const notFound = () => clinicalFailure('resource-not-found', 'There is no such resource. Search for it again.')
