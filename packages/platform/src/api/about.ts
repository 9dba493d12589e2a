/**
 * Of whom a fact tells, as it stands when it is told: many pages hear the same fact, so it is asked once for all of them, and for
 * many facts together.
 */
import type { Fact } from '@careloop/contract'
import type { Engine } from '../engine/index.ts'
import type { Sighted } from '../subjects/index.ts'
import { subjectsOfSeries } from '../telemetry/index.ts'
import type { ApiParts } from './parts.ts'

/** null: it tells of no subject. Empty: of one that is not there (any more), which nobody hears of. */
export type About = readonly Sighted[] | null

const known = new WeakMap<Fact, Promise<About>>()

/** @param facts of one tenant */
export async function aboutOf(
  { engine, subjectsOf }: Pick<ApiParts, 'engine' | 'subjectsOf'>,
  tenant: string,
  facts: readonly Fact[],
): Promise<ReadonlyMap<Fact, About>> {
  const fresh = facts.filter((fact) => !known.has(fact))
  if (fresh.length > 0) {
    const loading = load(engine, subjectsOf, tenant, fresh)
    for (const fact of fresh) {
      const about = loading.then((loaded) => loaded.get(fact) ?? null)
      // What failed once may succeed for the next page.
      about.catch(() => known.delete(fact))
      known.set(fact, about)
    }
  }
  return new Map(await Promise.all(facts.map(async (fact) => [fact, await known.get(fact)!] as const)))
}

async function load(
  engine: Engine,
  subjectsOf: ApiParts['subjectsOf'],
  tenant: string,
  facts: readonly Fact[],
): Promise<ReadonlyMap<Fact, About>> {
  const series = facts.flatMap(seriesIn)
  const worn = series.length === 0 ? new Map<string, string>() : await subjectsOfSeries(engine, tenant, series)
  const idsOf = (fact: Fact): string[] | null => {
    if ('subject' in fact.body && fact.body.subject !== undefined) return [fact.body.subject]
    const ids = seriesIn(fact).flatMap((id) => worn.get(id) ?? [])
    return ids.length === 0 ? null : ids
  }
  const wanted = [...new Set(facts.flatMap((fact) => idsOf(fact) ?? []))]
  const placed =
    wanted.length === 0 || subjectsOf === undefined ? new Map<string, Sighted>() : await subjectsOf(tenant, wanted)
  return new Map(facts.map((fact) => [fact, idsOf(fact)?.flatMap((id) => placed.get(id) ?? []) ?? null]))
}

/** Series, and gaps in them, name whose they are by the series only. */
function seriesIn({ type, body }: Fact): string[] {
  if (type === 'GapChanged') return [(body as Fact<'GapChanged'>['body']).series].filter((id) => id !== '')
  if (type !== 'SeriesMoved') return []
  const { from, to } = body as Fact<'SeriesMoved'>['body']
  return [from, to].filter((id) => id !== '')
}
