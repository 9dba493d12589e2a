/** Every view made again from its owners' rows: of an installation that was there before, and by `careloop clinical rebuild`. */
import type { Engine } from '../../engine/index.ts'
import { keepAll } from './follow-views.ts'
import { chunkSize, type KeepingViews } from './keep-views.ts'

export interface ViewProgress {
  readonly tenant: string
  readonly view: string
  /** Things of this view that were made so far. */
  readonly things: number
}

/**
 * Makes all views of one organisation. What is as it was stays as it is, to the byte; what is missing or differs is made right.
 * @param told after each chunk
 */
export async function rebuildViews(
  engine: Engine,
  keeping: KeepingViews,
  tenant: string,
  told: (progress: ViewProgress) => void = () => {},
): Promise<void> {
  for (const view of keeping.views) {
    let after: string | null = null
    for (let things = 0; ; ) {
      const ids: readonly string[] = await view.page(tenant, after, chunkSize)
      if (ids.length === 0) break
      await keepAll(engine, keeping, tenant, view, ids)
      after = ids.at(-1)!
      things += ids.length
      told({ tenant, view: view.name, things })
    }
  }
}

const cursorOf = (view: string): string => `clinical-views-from-before/${view}`
const done = 'done'

/**
 * What was there before its view was: a chunk of things, then it is asked again. Facts go before it, and where it stands is kept, so
 * that it goes on after a restart.
 * @returns false when all is made
 */
export async function takeFromBefore(engine: Engine, keeping: KeepingViews): Promise<boolean> {
  const tenants = await engine.db.tenants()
  for (const view of keeping.views) {
    const name = cursorOf(view.name)
    const from = await engine.db.cursor(name)
    if (from === done) continue
    const at = placeOf(from, tenants)
    const ids = at === null ? [] : await view.page(at.tenant, at.after, chunkSize)
    if (at !== null) await keepAll(engine, keeping, at.tenant, view, ids)
    const to = at === null ? done : ids.length === 0 ? nextTenant(at.tenant, tenants) : `${at.tenant}/${ids.at(-1)}`
    await engine.db.asEngine((tx) => engine.db.moveCursor(tx, name, from, to))
    if (to === done) engine.watch.log.info({ view: view.name }, 'what was there before is shown as FHIR')
    return true
  }
  return false
}

/** `<tenant>/<id of the last thing>`; null = behind the last organisation. */
function placeOf(position: string, tenants: readonly string[]): { tenant: string; after: string | null } | null {
  if (position === '0') return tenants[0] === undefined ? null : { tenant: tenants[0], after: null }
  const [tenant, after] = position.split(/\/(.*)/) as [string, string]
  return tenants.includes(tenant) ? { tenant, after: after === '' ? null : after } : null
}

function nextTenant(tenant: string, tenants: readonly string[]): string {
  const next = tenants[tenants.indexOf(tenant) + 1]
  return next === undefined ? done : `${next}/`
}
