/**
 * `Observation/$lastn`: of each code the newest few. Walks from the newest backwards and, as soon as a code has enough, passes over
 * the rest of it unopened by its blind key: a patient with ten thousand values of ten codes costs a few dozen bodies.
 */
import { type FhirTree, type Pair, parseSearch, type Resource, type Search, SearchError, textOf } from '@careloop/fhir'
import { audited } from '../../subjects/index.ts'
import type { SearchAsked } from '../rest/searching.ts'
import { grantFor } from '../rights.ts'
import { type Position, windowAfter } from '../search/candidates.ts'
import { decided, type Looking, type Match, newestFirst } from '../search/find.ts'
import { lookedUp } from '../search/looked-up.ts'
import { lookingBy, openEyes, typesOf } from '../search/looking.ts'
import { planOf } from '../search/plan.ts'
import { searchsetOf } from '../search/searchset.ts'
import type { ClinicalRoom } from '../store/room.ts'

/** Places of the first window, and of the largest. */
const smallest = 32
const largest = 512
/** Codes of one answer. */
const maxGroups = 500
/** Bodies opened for one answer: beyond, it asks for too many people, or for too much of codes that are not passed over. */
const maxOpened = 50_000

/** @throws SearchError without a patient or subject */
export async function lastN(room: ClinicalRoom, asked: Omit<SearchAsked, 'type'>): Promise<FhirTree> {
  const { by, base } = asked
  const { engine } = room.ground
  grantFor(by, 'Observation', 's')
  const max = maxOf(asked.pairs)
  const pairs = asked.pairs.filter(([name]) => name !== 'max' && !name.startsWith('_'))
  if (!pairs.some(([name]) => /^(patient|subject)(:[A-Z][A-Za-z]*|:identifier)?(\..*)?$/.test(name)))
    throw new SearchError('lastn-patient', '`$lastn` is asked for a `patient` or `subject`.', 'required')
  const search = parseSearch('Observation', pairs, { now: engine.clock.now(), isStrict: true, base })
  const eyes = await openEyes(room, by, typesOf(search))
  return room.parts.consents.guard(by, 'observation', (heldBack) =>
    engine.db.asTenant(by.tenant, async (tx) => {
      const looking = lookingBy(room, tx, { base, eyes, heldBack })
      const matches = await newestOf(looking, await lookedUp(looking, search), max)
      const subjects = [...new Set(matches.flatMap(({ stored: { subject } }) => subject ?? []))]
      await audited(tx, eyes.get('Observation')!.granted.by, 'search', 'observation', { id: 'lastn', subjects })
      return searchsetOf({
        ...{ base, path: 'Observation/$lastn', applied: [...search.applied, ['max', String(max)]] },
        ...{ matches, included: [], issues: [], total: matches.length, next: null, shape: {} },
      })
    }),
  )
}

function maxOf(pairs: readonly Pair[]): number {
  const text = pairs.find(([name]) => name === 'max')?.[1] ?? '1'
  if (!/^[1-9]\d{0,3}$/.test(text)) throw new SearchError('search-value', '`max` is a number from 1 to 9999.')
  return Number(text)
}

async function newestOf(looking: Looking, search: Pick<Search, 'type' | 'clauses'>, max: number): Promise<Match[]> {
  const eyes = looking.eyes('Observation')
  if (eyes === null) return []
  const plan = await planOf(looking.room.ground, looking.tx, search)
  const blind = await looking.room.ground.blinds(looking.tx.tenant)
  const groups = new Map<string, Match[]>()
  const without = new Set<string>()
  let opened = 0
  let after: Position | null = null
  for (let size = smallest; ; size = Math.min(size * 2, largest)) {
    const walk = { plan, order: newestFirst, sight: eyes.granted.by.sight, without: [...without] }
    const window = await windowAfter(looking.tx, walk, after, size)
    for (const candidate of window.candidates) {
      // Its code was filled by one before it in this window: it need not be opened to know that.
      if (candidate.keys?.some((key) => without.has(key))) continue
      if (++opened > maxOpened) throw tooBroad()
      const match = await decided(looking, eyes, search.clauses, candidate)
      if (match === null) continue
      const names = namesOf(match.resource)
      const name = names.find((one) => groups.has(one)) ?? names[0]!
      const group = groups.get(name) ?? []
      groups.set(name, group)
      if (group.length < max) group.push(match)
      if (group.length === max && isOwn(name)) without.add(blind.key(textOf.token('Observation', 'code', name)))
    }
    after = window.end
    if (after === null || groups.size >= maxGroups) return [...groups.values()].flat()
  }
}

const tooBroad = () =>
  new SearchError(
    'search-too-broad',
    '`$lastn` leads through too much here. Ask for one patient, or by `code`.',
    'too-costly',
  )

/** By which names an Observation is grouped: each of its codings; the first one names a new group. */
function namesOf(resource: Resource): string[] {
  const { coding, text } = (resource.code ?? {}) as { coding?: { system?: string; code?: string }[]; text?: string }
  const names = (coding ?? []).flatMap(({ system, code }) =>
    code === undefined ? [] : [isOwn(code) ? code.toLowerCase() : `${system ?? ''}|${code}`],
  )
  return names.length > 0 ? names : [`|${text ?? ''}`]
}

/** A code of LOINC, MDC or SNOMED is one whatever its system is called; a short one of a house (`1`) is not passed over by it. */
const isOwn = (code: string): boolean => /^(\d{1,7}-\d|\d{5,18})$/.test(code)
