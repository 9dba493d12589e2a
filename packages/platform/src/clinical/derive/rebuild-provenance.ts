/** Which message an Observation was made of, told again from the reading log as far back as it reaches. */
import type { ReadingsLogged } from '@careloop/contract'
import type { TenantTx } from '../../engine/index.ts'
import type { Derived } from '../clinical.ts'
import { isFromRecord } from './from-record.ts'
import { observationsCursor } from './observation-work.ts'
import { Panels } from './panels.ts'
import { provenanceOfFrame } from './provenance.ts'
import { type RebuildParts, type RebuildQuestion, writeAgain } from './rebuild.ts'
import { wayOf } from './sort-reading.ts'
import { spotObservation } from './spot-observation.ts'
import { isStanding, standingOf } from './standing.ts'
import type { StoredEntry } from './take-entries.ts'
import type { Told, Whose } from './told.ts'

const BATCH_ENTRIES = 1_000

export async function rebuildProvenance(
  parts: RebuildParts,
  { tenant, subject, since = Number.NEGATIVE_INFINITY }: RebuildQuestion,
): Promise<{ looked: number; written: number }> {
  const { log, db } = parts.engine
  const until = Number(await db.cursor(observationsCursor))
  const panels = new Panels()
  let [looked, written] = [0, 0]
  for (let at = 0; at < until; ) {
    const commits = await log.read(0, at, BATCH_ENTRIES)
    if (commits.length === 0) break
    at = commits.at(-1)!.position
    const entries = commits
      .filter(({ position }) => position <= until)
      .flatMap(({ entries, storedAt }) => entries.map((entry) => ({ entry, storedAt })))
      .filter((one): one is StoredEntry => isWanted(one.entry, tenant, subject, since))
    if (entries.length === 0) continue
    const done = await db.asTenant(tenant, (tx) => tellAgain(parts, tx, panels, entries))
    looked += done.looked
    written += done.written
  }
  return { looked, written }
}

function isWanted(
  entry: { readonly kind: string },
  tenant: string,
  subject: string | undefined,
  since: number,
): boolean {
  if (entry.kind !== 'readings') return false
  const { tenant: own, subject: whose, readings, origin, frame } = entry as ReadingsLogged
  if (own !== tenant || (subject !== undefined && whose !== subject) || isFromRecord({ origin, frame })) return false
  return readings.some(({ measuredAt }) => measuredAt >= since)
}

async function tellAgain(parts: RebuildParts, tx: TenantTx, panels: Panels, entries: readonly StoredEntry[]) {
  const people = await parts.people.of(
    tx,
    entries.map(({ entry }) => entry.subject),
  )
  const made: { whose: Whose; stored: StoredEntry; all: Derived[] }[] = []
  for (const stored of entries) {
    const whose = people.get(stored.entry.subject)
    if (whose !== undefined) made.push({ whose, stored, all: await couldBe(panels, whose, stored) })
  }
  const names = made.flatMap(({ all }) => all.map(nameOf))
  const standing = await standingOf(parts.clinical, tx, names)
  const versions = new Map<string, readonly Derived[]>()
  for (const { whose, stored, all } of made) {
    // Of a stream only some readings are Observations of their own.
    const targets = all.filter((derived) => isStanding(standing.get(nameOf(derived))))
    if (targets.length === 0) continue
    const derived = provenanceOfFrame(whose, stored.entry, targets, stored.storedAt)
    versions.set(nameOf(derived), [derived])
  }
  return writeAgain(parts, tx, versions)
}

async function couldBe(panels: Panels, whose: Whose, { entry, storedAt }: StoredEntry): Promise<Derived[]> {
  const spots: Derived[] = []
  const groups = new Map<string, Told[]>()
  for (const reading of entry.readings) {
    const told: Told = { whose, source: entry, reading, storedAt }
    const way = wayOf(reading, entry.origin)
    if (way.way === 'panel') groups.set(way.group, [...(groups.get(way.group) ?? []), told])
    else if (way.way !== 'none') spots.push(...[spotObservation(told) ?? []].flat())
  }
  for (const parts of groups.values()) spots.push(...(await panels.join(async () => new Map(), parts)))
  return spots
}

const nameOf = ({ resource }: Derived): string => `${resource.resourceType}/${resource.id}`
