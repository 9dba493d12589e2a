/**
 * What the record says of one device's stored readings of one subject, made again: the same ways, windows and versions as when they
 * came, because all that decides is stored with them. For corrections and rebuilds. Pure but for the time it takes.
 */
import type { Origin } from '@careloop/contract'
import type { KeptReading } from '../../telemetry/index.ts'
import type { Derived } from '../clinical.ts'
import { hadCome, observationOf } from './close-windows.ts'
import { Panels, type ReadPanels } from './panels.ts'
import { dueOf, type SignalPolicy, windowOf } from './policy.ts'
import { provenanceOfWindow } from './provenance.ts'
import { wayOf } from './sort-reading.ts'
import { spotObservation } from './spot-observation.ts'
import type { Told, Whose } from './told.ts'
import type { WindowName } from './window-observation.ts'

export interface StoredReadings {
  readonly whose: Whose
  readonly device: string
  readonly bySignal: ReadonlyMap<string, readonly KeptReading[]>
  /** Of the log's time: what came later, and windows that are due later, are not told of yet. */
  readonly until: number
}

export interface Remade {
  /** Of each resource its versions, oldest first. */
  readonly versions: ReadonlyMap<string, readonly Derived[]>
  /** Windows that are not due yet. */
  readonly open: readonly { readonly name: WindowName; readonly due: number; readonly told: number }[]
}

/** A reading, when it came as far as that is known, and of what signal. */
interface Arrival {
  readonly signal: string
  readonly kept: KeptReading
  readonly at: number
}

export async function deriveStored(stored: StoredReadings): Promise<Remade> {
  const versions = new Map<string, Derived[]>()
  const keep = (derived: Derived | undefined) => {
    if (derived === undefined) return
    const name = `${derived.resource.resourceType}/${derived.resource.id}`
    versions.set(name, [...(versions.get(name) ?? []), derived])
  }
  const windows = new StoredWindows(stored)
  const panels: Told[] = []
  for (const arrival of arrivalsOf(stored)) {
    const told = toldOf(stored, arrival)
    const way = wayOf(told.reading, told.source.origin)
    if (way.way === 'panel') panels.push(told)
    else if (way.way === 'spot') keep(spotObservation(told))
    else if (way.way === 'window' && windows.take(arrival, way.policy)) keep(spotObservation(told))
  }
  for (const derived of await panelsOfTold(panels)) keep(derived)
  for (const derived of windows.due()) keep(derived)
  return { versions: withoutRepeats(versions), open: windows.open() }
}

/** In the order in which they came. What came by FHIR stands in the record in the words of whoever sent it. */
function arrivalsOf({ bySignal, until }: StoredReadings): Arrival[] {
  const all: Arrival[] = []
  for (const [signal, readings] of bySignal)
    for (const kept of readings) {
      const at = kept.storedAt ?? kept.measuredAt
      if (at <= until && kept.origin !== 'ehr') all.push({ signal, kept, at })
    }
  return all.sort((a, b) => a.at - b.at || a.kept.measuredAt - b.kept.measuredAt || a.kept.ordinal - b.kept.ordinal)
}

function toldOf({ whose, device }: StoredReadings, { signal, kept, at }: Arrival): Told {
  const { origin = 'automatic', enteredBy, storedAt: _, ...reading } = kept
  const source = { device, origin: origin satisfies Origin, ...(enteredBy === undefined ? {} : { enteredBy }) }
  return { whose, source, reading: { signal, ...reading }, storedAt: at }
}

/** Parts that came together are joined together. */
async function panelsOfTold(told: readonly Told[]): Promise<Derived[]> {
  const panels = new Panels()
  const nothing: ReadPanels = async () => new Map()
  const made: Derived[] = []
  for (const parts of Map.groupBy(told, ({ storedAt, reading }) => `${storedAt} ${reading.groupId}`).values())
    made.push(...(await panels.join(nothing, parts)))
  return made
}

class StoredWindows {
  readonly #stored: StoredReadings
  readonly #open = new Map<string, { due: number; told: number }>()
  readonly #seen = new Map<string, { name: WindowName; policy: SignalPolicy; dues: Set<number> }>()

  constructor(stored: StoredReadings) {
    this.#stored = stored
  }

  /** @returns whether it became an Observation of its own */
  take({ signal, kept, at }: Arrival, policy: SignalPolicy): boolean {
    const from = windowOf(this.#stored.device, kept.measuredAt, policy)
    const key = `${signal} ${from}`
    const due = dueOf(from, policy.windowMs, at)
    const seen = this.#seen.get(key) ?? { name: this.#name(signal, from), policy, dues: new Set() }
    this.#seen.set(key, seen)
    const known = this.#open.get(key)
    const open = known !== undefined && known.due > at ? known : { due, told: 0 }
    this.#open.set(key, open)
    seen.dues.add(open.due)
    if (open.told >= policy.each) return false
    open.told++
    return true
  }

  *due(): Generator<Derived> {
    const { whose, bySignal, until } = this.#stored
    for (const { name, policy, dues } of this.#seen.values()) {
      const inside = (bySignal.get(name.signal) ?? []).filter(
        ({ measuredAt }) => measuredAt >= name.from && measuredAt < name.from + policy.windowMs,
      )
      for (const due of [...dues].sort((a, b) => a - b)) {
        if (due > until) continue
        const made = observationOf(whose, { name, policy, due, totals: null }, hadCome(inside, due))
        if (made === undefined) continue
        yield made
        yield provenanceOfWindow(whose, name, made)
      }
    }
  }

  open(): Remade['open'] {
    return [...this.#seen].flatMap(([key, { name }]) => {
      const { due, told } = this.#open.get(key)!
      return due > this.#stored.until ? [{ name, due, told }] : []
    })
  }

  #name(signal: string, from: number): WindowName {
    const { whose, device } = this.#stored
    return { tenant: whose.tenant, subject: whose.subject, device, signal, from }
  }
}

/** What says the same as the version before is none. */
function withoutRepeats(versions: ReadonlyMap<string, readonly Derived[]>): ReadonlyMap<string, readonly Derived[]> {
  const once = new Map<string, readonly Derived[]>()
  for (const [name, all] of versions)
    once.set(
      name,
      all.filter((one, i) => i === 0 || JSON.stringify(one.resource) !== JSON.stringify(all[i - 1]!.resource)),
    )
  return once
}
