/** A file of an export as it is fetched: line by line what whoever fetches may see now, which may be less than when it was written. */
import { redisclosureMark } from '@careloop/contract'
import { record } from '../../audit/index.ts'
import type { TenantTx } from '../../engine/index.ts'
import { type By, seenOf } from '../../subjects/index.ts'
import { clinicalFailure } from '../errors.ts'
import { type Eyes, eyesFor, grantFor, thingOf } from '../rights.ts'
import type { ClinicalRoom } from '../store/room.ts'
import { type Line, unpackFile } from './export-file.ts'
import { jobsOf, ownJob } from './export-jobs.ts'

export interface FetchedFile {
  /** NDJSON. */
  readonly text: string
  readonly headers: Readonly<Record<string, string>>
}

/** @throws Failure `export-not-found`, `type-not-yours` */
export async function fetchFile(room: ClinicalRoom, by: By, id: string, number: number): Promise<FetchedFile> {
  const { engine } = room.ground
  const file = await engine.db.asTenant(by.tenant, async (tx) => {
    const job = await ownJob(engine, tx, by, id)
    const files = jobsOf(tx).selectFrom('export_file').selectAll().where('job_id', '=', id)
    const found = await files.where('number', '=', number).executeTakeFirst()
    if (job.status === 'complete' && found !== undefined) return found
    throw clinicalFailure('export-not-found', 'There is no such file of this export. Read its status again.')
  })
  const lines = await unpackFile(await engine.blobs.get(file.ref))
  // Deletions name types besides that of their Bundle: their patient decides.
  const type = file.kind === 'deleted' ? 'Patient' : file.type
  const granted = grantFor(by, type, 'r')
  const gate = await room.parts.consents.gate(granted.by)
  const eyes = await eyesFor({ consents: { gate: async () => gate } }, granted)
  return engine.db.asTenant(by.tenant, async (tx) => {
    const shown = await shownLines(tx, eyes, file.kind === 'deleted' ? null : type, lines)
    const subjects = [...new Set(shown.flatMap(({ subject }) => subject ?? []))]
    const entry = { actor: by.actor, requestId: by.requestId, action: 'export', resource: 'export-file' } as const
    await record(tx, { ...entry, id: `${id}/${number}`, subjects })
    const isNoticed = await disclose(room, tx, { by, eyes, job: id, type, shown })
    return {
      text: shown.map(({ text }) => `${text}\n`).join(''),
      headers: isNoticed ? { 'careloop-notice': redisclosureMark } : {},
    }
  })
}

/** @param type null: of deletions, where nothing but the patient decides */
async function shownLines(tx: TenantTx, eyes: Eyes, type: string | null, lines: readonly Line[]): Promise<Line[]> {
  const ids = [...new Set(lines.flatMap(({ subject }) => subject ?? []))]
  const seen = await seenOf(tx, ids, eyes.granted.by.sight)
  const shown: Line[] = []
  for (const line of lines) {
    if (line.subject !== null && !seen.has(line.subject)) continue
    if (type === null || (await eyes.shows(tx, asStored(type, line)))) shown.push(line)
  }
  return shown
}

/** What rights and consent ask of it. */
const asStored = (type: string, { subject, signals, program, text }: Line) => ({
  ...{ type, subject, text, id: '', rid: '', version: 0, updatedAt: 0, isDeleted: false, isDerived: false },
  ...(signals === undefined ? {} : { signals }),
  ...(program === undefined ? {} : { program }),
})

interface Disclosing {
  readonly by: By
  readonly eyes: Eyes
  readonly job: string
  readonly type: string
  readonly shown: readonly Line[]
}

/** Each person stands in the accounting once for each export. @returns whether 42 CFR Part 2 wants its notice beside the file */
async function disclose(room: ClinicalRoom, tx: TenantTx, disclosing: Disclosing): Promise<boolean> {
  const { by, eyes, job, type, shown } = disclosing
  if (by.who === undefined) return false
  const firsts = new Map(shown.flatMap((line) => (line.subject === null ? [] : [[line.subject, line] as const])))
  let isNoticed = false
  for (const [subject, line] of firsts) {
    const whole = await eyes.gate.shown(tx, subject)
    if (!whole.isOutside) continue
    const { consent, obligations } = whole.decide(thingOf({ ...asStored(type, line) }))
    isNoticed ||= obligations.length > 0
    const { rowCount } = await tx.client.query(
      `update tenant.export_subject set disclosed_at = $3
        where tenant_id = $4 and job_id = $1 and subject_id = $2 and disclosed_at is null`,
      [job, subject, room.ground.engine.clock.now(), tx.tenant],
    )
    if (rowCount === 0) continue
    await room.parts.consents.disclose(tx, by, {
      ...{ subject, purpose: 'TREAT', consent: consent ?? null },
      recipient: { kind: 'integration', id: by.who.kind === 'service' ? by.who.id : null },
      what: {
        description: 'Bulk export of the record',
        ...{ labels: obligations.length > 0 ? ['ETH', 'SUD'] : [], noticed: obligations.length > 0 },
      },
    })
  }
  return isNoticed
}
