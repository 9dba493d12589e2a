/** `Patient/[id]/$everything`: the patient, what lies in their compartment type by type, and whom and what that points to. */
import {
  type Clause,
  clinicalDateOf,
  type FhirTree,
  type Pair,
  parametersOf,
  parseSearch,
  SearchError,
} from '@careloop/fhir'
import { audited } from '../../subjects/index.ts'
import type { SearchAsked } from '../rest/searching.ts'
import type { Position } from '../search/candidates.ts'
import { compartmentClause, compartmentParameter } from '../search/compartment.ts'
import { find, type Looking, type Match } from '../search/find.ts'
import { open } from '../search/includes.ts'
import { lookingBy, openEyes } from '../search/looking.ts'
import { openPage, sealPage } from '../search/page-token.ts'
import { searchsetOf } from '../search/searchset.ts'
import { readResource } from '../store/read.ts'
import type { ClinicalRoom } from '../store/room.ts'
import { servedTypes } from '../types.ts'
import { referencesIn } from './references-in.ts'

/** A page without `_count`. */
const wholeCount = 1_000
const maxWalked = 20_000
/** Whom and what a patient's record points to, beside what is the patient's own. */
const beside: ReadonlySet<string> = new Set([
  ...['Practitioner', 'PractitionerRole', 'Organization', 'Location', 'Device', 'PlanDefinition', 'Questionnaire'],
])

interface Place {
  readonly type: string
  readonly after: Position | null
}

/** @throws Failure `resource-not-found` as for one that nobody has */
export async function everything(
  room: ClinicalRoom,
  asked: Pick<SearchAsked, 'by' | 'pairs' | 'base'>,
  id: string,
): Promise<FhirTree> {
  const { by, base } = asked
  const { engine } = room.ground
  const token = asked.pairs.find(([name]) => name === '_page')?.[1]
  const page = token === undefined ? null : await openPage(engine, by, token)
  if (page !== null && page.compartment !== `Patient/${id}`)
    throw new SearchError('search-page-unknown', 'This page is of another patient. Begin anew.')
  const pairs = page?.pairs ?? asked.pairs
  const wanted = questionOf(pairs, engine.clock.now())
  const patient = await readResource(room, by, 'Patient', id)
  const eyes = await openEyes(room, by, Object.keys(servedTypes))
  return engine.db.asTenant(by.tenant, async (tx) => {
    const looking = lookingBy(room, tx, { base, eyes })
    const start = (page?.after as Place | undefined) ?? null
    const isFirst = start === null && (wanted.types === null || wanted.types.has('Patient'))
    const head: Match[] = isFirst
      ? [{ stored: patient, resource: JSON.parse(patient.text), position: { time: '0', seq: '0' } }]
      : []
    const { items, end } = await walk(looking, { id, wanted, start })
    const pointed = items.flatMap(({ resource }) => referencesIn(resource, base))
    const around = await open(
      looking,
      [...new Set(pointed)].filter((one) => beside.has(one.split('/')[0]!)),
    )
    // Also of whom they are seen beside: what points to this patient may be of another.
    const shown = [patient, ...items.map(({ stored }) => stored), ...around.map(({ stored }) => stored)]
    const subjects = [...new Set(shown.flatMap(({ subject }) => subject ?? []))]
    await audited(tx, eyes.get('Patient')?.granted.by ?? by, 'search', 'patient', { id: 'everything', subjects })
    const compartment = `Patient/${id}`
    const next = end === null ? null : await sealPage(engine, by, { type: null, pairs, compartment, after: end })
    return searchsetOf({
      ...{ base, path: `Patient/${id}/$everything`, applied: wanted.applied, matches: [...head, ...items] },
      ...{ included: around, issues: [], total: null, next, shape: {} },
    })
  })
}

interface Question {
  readonly count: number
  readonly types: ReadonlySet<string> | null
  /** By `_since`. */
  readonly since: string | null
  readonly start: string | null
  readonly end: string | null
  readonly now: number
  readonly applied: readonly Pair[]
}

const known = ['_since', '_type', '_count', 'start', 'end']

function questionOf(pairs: readonly Pair[], now: number): Question {
  const one = (name: string) => pairs.find(([each]) => each === name)?.[1] ?? null
  const count = one('_count')
  if (count !== null && !/^[1-9]\d{0,5}$/.test(count))
    throw new SearchError('search-value', '`_count` is a number from 1 on.')
  return {
    count: Math.min(count === null ? wholeCount : Number(count), wholeCount),
    types: one('_type') === null ? null : new Set(one('_type')!.split(',')),
    ...{ since: one('_since'), start: one('start'), end: one('end'), now },
    applied: pairs.filter(([name]) => known.includes(name)),
  }
}

/** Type after type, until the page is full. */
async function walk(
  looking: Looking,
  { id, wanted, start }: { id: string; wanted: Question; start: Place | null },
): Promise<{ items: Match[]; end: Place | null }> {
  const items: Match[] = []
  const types = Object.keys(servedTypes).filter((type) => type !== 'Patient' && compartmentParameter(type) !== null)
  for (const type of start === null ? types : types.slice(types.indexOf(start.type))) {
    if (wanted.types !== null && !wanted.types.has(type)) continue
    if (looking.eyes(type) === null) continue
    if (items.length >= wanted.count) return { items, end: { type, after: null } }
    const clauses = [compartmentClause(type, { type: 'Patient', id }), ...narrowing(type, wanted)]
    const after = type === start?.type ? start.after : null
    const bounds = { limit: wanted.count - items.length, maxWalked, after }
    const found = await find(looking, { type, clauses, sort: [] }, bounds)
    items.push(...found.items)
    if (found.end !== null) return { items, end: { type, after: found.end } }
  }
  return { items, end: null }
}

/** `_since` is of the record, `start` and `end` of the care; a type without a date is there whatever they say. */
function narrowing(type: string, { since, start, end, now }: Question): readonly Clause[] {
  const date = clinicalDateOf(type)
  const pairs: Pair[] = [
    ...(since === null ? [] : [['_lastUpdated', `ge${since}`] as const]),
    ...(start === null || date === null || !parametersOf(type).has(date) ? [] : [[date, `ge${start}`] as const]),
    ...(end === null || date === null || !parametersOf(type).has(date) ? [] : [[date, `le${end}`] as const]),
  ]
  return parseSearch(type, pairs, { now, isStrict: true }).clauses
}
