/** From facts to resources: what a fact tells of is made anew from its owner's rows. */
import type { Fact, FactType } from '@careloop/contract'
import { Counter, type Registry } from 'prom-client'
import { type Engine, isPassing } from '../../engine/index.ts'
import { type KeepingViews, keepThings } from './keep-views.ts'
import type { View } from './view.ts'

export const viewsCursor = 'clinical-views'
const batch = 200

export const factsOf = (views: readonly View[]): readonly FactType[] => [
  ...new Set(views.flatMap(({ facts }) => facts)),
]

/** Where the views stand, and whether there are facts beyond. */
export async function viewsProgress(engine: Engine): Promise<{ readonly at: string; readonly isBehind: boolean }> {
  const at = await engine.db.cursor(viewsCursor)
  return { at, isBehind: (await engine.db.readFacts(at, 1)).length > 0 }
}

/**
 * Takes in the next facts. The cursor moves when all is made, so that a broken process makes it again. A thing that no resource can
 * be made of is set aside, loudly: it keeps back none that come after it.
 * @returns false when there were none
 */
export async function takeViews(engine: Engine, keeping: KeepingViews): Promise<boolean> {
  const from = await engine.db.cursor(viewsCursor)
  const facts = await engine.db.readFacts(from, batch)
  if (facts.length === 0) return false
  for (const [tenant, ofTenant] of Map.groupBy(facts, (fact) => fact.tenant))
    for (const view of keeping.views) await keepAll(engine, keeping, tenant, view, await toldOf(view, ofTenant))
  await engine.db.asEngine((tx) => engine.db.moveCursor(tx, viewsCursor, from, facts.at(-1)!.position))
  return true
}

/** Each thing once, however often it was told of. */
async function toldOf(view: View, facts: readonly Fact[]): Promise<string[]> {
  const ids = new Set<string>()
  for (const fact of facts) if (view.facts.includes(fact.type)) for (const id of await view.idsOf(fact)) ids.add(id)
  return [...ids]
}

/** All at once; when that fails, one by one, so that only what is at fault is set aside. */
export async function keepAll(
  engine: Engine,
  keeping: KeepingViews,
  tenant: string,
  view: View,
  ids: readonly string[],
): Promise<void> {
  try {
    await keepThings(engine, keeping, tenant, view, ids)
  } catch (error) {
    if (isPassing(error)) throw error
    for (const id of ids) await keepOne(engine, keeping, tenant, view, id)
  }
}

async function keepOne(engine: Engine, keeping: KeepingViews, tenant: string, view: View, id: string): Promise<void> {
  try {
    await keepThings(engine, keeping, tenant, view, [id])
  } catch (err) {
    if (isPassing(err)) throw err
    setAside(engine.watch.metrics).inc({ view: view.name })
    engine.watch.log.error({ err, tenant, view: view.name, id }, 'this could not be shown as FHIR: it was set aside')
  }
}

const setAsideName = 'careloop_clinical_views_set_aside_total'

export function setAside(metrics: Registry): Counter<'view'> {
  const known = metrics.getSingleMetric(setAsideName)
  if (known !== undefined) return known as Counter<'view'>
  const help = 'Things of other rooms that could not be shown as FHIR. More than none wants somebody to read the log.'
  return new Counter({ name: setAsideName, help, labelNames: ['view'], registers: [metrics] })
}
