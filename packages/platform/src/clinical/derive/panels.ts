/**
 * Cuff measurements whose parts may come apart: what stands of each is known here, so that a later part is put into it. What is not
 * in memory is read from the record.
 */
import type { Resource } from '@careloop/fhir'
import type { TenantTx } from '../../engine/index.ts'
import type { Clinical, Derived } from '../clinical.ts'
import { bloodPressure, componentsOf, panelIdOf } from './blood-pressure.ts'
import type { Told } from './told.ts'

type Components = ReadonlyMap<string, object>

/** Reads what stands of measurements, by id; those that are not there are absent. */
export type ReadPanels = (ids: readonly string[]) => Promise<ReadonlyMap<string, Components>>

const MAX_KEPT = 10_000
/** More values than this of one signal in one measurement are a device gone mad: they stay in telemetry. */
const MAX_BESIDE = 8

export class Panels {
  readonly #known = new Map<string, Components>()

  /** Asks for many at once. */
  async prepare(read: ReadPanels, ids: readonly string[]): Promise<void> {
    const missing = [...new Set(ids)].filter((id) => !this.#known.has(id))
    if (missing.length === 0) return
    if (this.#known.size + missing.length > MAX_KEPT) this.#known.clear()
    const found = await read(missing)
    for (const id of missing) this.#known.set(id, found.get(id) ?? new Map())
  }

  /**
   * The measurements with these parts in them, each as it is to stand; those that stand so already are left out.
   * @param parts of one message and group
   */
  async join(read: ReadPanels, parts: readonly Told[]): Promise<Derived[]> {
    const made: Derived[] = []
    for (const layer of layersOf(parts)) {
      const one = await this.#joinOne(read, layer)
      if (one !== undefined) made.push(one)
    }
    return made
  }

  async #joinOne(read: ReadPanels, parts: readonly Told[]): Promise<Derived | undefined> {
    for (let nth = 0; nth < MAX_BESIDE; nth++) {
      const id = panelIdOf(parts[0]!, nth)
      await this.prepare(read, [id])
      const before = this.#known.get(id)!
      const made = bloodPressure(parts, nth, before)
      const after = componentsOf(made.resource)
      // Another value of the same signal is a measurement of its own, beside: somebody has to see both.
      if ([...before].some(([signal, component]) => !isSame(component, after.get(signal)))) continue
      if (after.size === before.size) return undefined
      this.#known.set(id, after)
      return made
    }
    return undefined
  }
}

/** The first value of each signal, then the second ones: a message may tell of several. */
function layersOf(parts: readonly Told[]): Told[][] {
  const layers: Told[][] = []
  const seen = new Map<string, number>()
  for (const part of parts) {
    const nth = seen.get(part.reading.signal) ?? 0
    seen.set(part.reading.signal, nth + 1)
    const layer = layers[nth] ?? []
    layers[nth] = layer
    layer.push(part)
  }
  return layers
}

const isSame = (a: object, b: object | undefined): boolean => JSON.stringify(a) === JSON.stringify(b)

/** Reads them from the record, within the transaction that writes. */
export const panelsOf =
  (clinical: Pick<Clinical, 'openAll' | 'ridOf'>, tx: TenantTx): ReadPanels =>
  async (ids) => {
    const rids = new Map<string, string>()
    for (const id of ids) rids.set(await clinical.ridOf(tx.tenant, 'Observation', id), id)
    const found = new Map<string, Components>()
    for (const [rid, stored] of await clinical.openAll(tx, [...rids.keys()]))
      if (stored.text !== '') found.set(rids.get(rid)!, componentsOf(JSON.parse(stored.text) as Resource))
    return found
  }
