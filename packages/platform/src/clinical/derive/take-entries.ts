/** What of some entries of the log becomes Observations now, written in one transaction of one organisation. */
import type { ReadingsLogged } from '@careloop/contract'
import type { TenantTx } from '../../engine/index.ts'
import type { Clinical, Derived } from '../clinical.ts'
import { isOfPanel, panelIdOf } from './blood-pressure.ts'
import { isFromRecord } from './from-record.ts'
import { tellOutOfRange } from './out-of-range.ts'
import { type Panels, panelsOf, type ReadPanels } from './panels.ts'
import type { People } from './people.ts'
import { provenanceOfFrame } from './provenance.ts'
import { keepWhatCan, staysSo } from './set-aside.ts'
import { wayOf } from './sort-reading.ts'
import { spotObservation } from './spot-observation.ts'
import type { Told, Whose } from './told.ts'
import type { OpenWindow, Windows } from './windows.ts'

export interface StoredEntry {
  readonly entry: ReadingsLogged
  readonly storedAt: number
}

export interface TakingParts {
  readonly clinical: Pick<Clinical, 'keepDerived' | 'openAll' | 'ridOf'>
  readonly people: People
  readonly panels: Panels
  readonly windows: Windows
}

/** @returns windows that became due on the way, and how many resources were written */
export async function takeEntries(
  parts: TakingParts,
  tx: TenantTx,
  entries: readonly StoredEntry[],
): Promise<{ readonly due: OpenWindow[]; readonly made: number }> {
  const told = entries.filter(({ entry }) => !isFromRecord(entry))
  const people = await parts.people.of(
    tx,
    told.map(({ entry }) => entry.subject),
  )
  const read = panelsOf(parts.clinical, tx)
  await parts.panels.prepare(read, panelIdsOf(told, people))
  const due: OpenWindow[] = []
  const rounds = new Rounds()
  for (const { entry, storedAt } of told) {
    due.push(...parts.windows.due(storedAt))
    const whose = people.get(entry.subject)
    if (whose === undefined) continue
    try {
      const made = await madeOf(parts, read, whose, entry, storedAt)
      if (made.length > 0) rounds.add([...made, provenanceOfFrame(whose, entry, made, storedAt)])
    } catch (error) {
      if (!staysSo(error)) throw error
      parts.people.setAside(error, { tenant: tx.tenant, subject: entry.subject, device: entry.device })
    }
  }
  const kept: Derived[] = []
  for (const round of rounds.all) kept.push(...(await keepWhatCan(parts.clinical, tx, round, parts.people.setAside)))
  await tellOutOfRange(parts.clinical, tx, kept)
  await parts.windows.write(tx)
  return { due, made: kept.length }
}

/**
 * Versions of one resource are written one after the other, one for each moment at which something of it was stored: so their numbers
 * do not depend on what was taken together.
 */
export class Rounds {
  readonly all: Derived[][] = []
  readonly #newest = new Map<string, { readonly round: number; readonly place: number; readonly at: number }>()

  add(made: readonly Derived[]): void {
    for (const derived of made) {
      const name = `${derived.resource.resourceType}/${derived.resource.id}`
      const before = this.#newest.get(name)
      if (before !== undefined && before.at === derived.at) this.all[before.round]![before.place] = derived
      else this.#put(name, derived, (before?.round ?? -1) + 1)
    }
  }

  #put(name: string, derived: Derived, at: number): void {
    const round = this.all[at] ?? []
    this.all[at] = round
    this.#newest.set(name, { round: at, place: round.length, at: derived.at })
    round.push(derived)
  }
}

async function madeOf(
  { panels, windows }: TakingParts,
  read: ReadPanels,
  whose: Whose,
  entry: ReadingsLogged,
  storedAt: number,
): Promise<Derived[]> {
  const spots: Told[] = []
  const groups = new Map<string, Told[]>()
  for (const reading of entry.readings) {
    const told: Told = { whose, source: entry, reading, storedAt }
    const way = wayOf(reading, entry.origin)
    if (way.way === 'panel') groups.set(way.group, [...(groups.get(way.group) ?? []), told])
    else if (way.way === 'spot') spots.push(told)
    else if (way.way === 'window' && windows.take(entry, reading, way.policy, storedAt)) spots.push(told)
  }
  const made = spots.flatMap((told) => spotObservation(told) ?? [])
  for (const parts of groups.values()) made.push(...(await panels.join(read, parts)))
  return made
}

function panelIdsOf(entries: readonly StoredEntry[], people: ReadonlyMap<string, Whose>): string[] {
  const ids: string[] = []
  for (const { entry, storedAt } of entries) {
    const whose = people.get(entry.subject)
    const reading = entry.readings.find(({ signal, groupId }) => isOfPanel(signal, groupId))
    if (whose !== undefined && reading !== undefined)
      ids.push(panelIdOf({ whose, source: entry, reading, storedAt }, 0))
  }
  return ids
}
