/** The search as REST asks for it: pages for a person, audited in their transaction, and the matches of a condition. */
import {
  type Clause,
  type FhirTree,
  type Issue,
  type Pair,
  parseSearch,
  type Search,
  SearchError,
  shown,
} from '@careloop/fhir'
import type { TenantTx } from '../../engine/index.ts'
import { audited } from '../../subjects/index.ts'
import type { SearchAsked, Searching } from '../rest/searching.ts'
import { eyesFor, type Granted, grantFor } from '../rights.ts'
import { kindWord } from '../store/kind-word.ts'
import type { ClinicalRoom } from '../store/room.ts'
import type { Stored } from '../stored.ts'
import type { Position } from './candidates.ts'
import { compartmentClause } from './compartment.ts'
import { type Found, find, type Looking, type Match } from './find.ts'
import { included } from './includes.ts'
import { lookedUp } from './looked-up.ts'
import { lookingBy, openEyes, typesOf } from './looking.ts'
import { openPage, sealPage } from './page-token.ts'
import { orderOf, planOf } from './plan.ts'
import { searchsetOf } from './searchset.ts'
import { type SortedPosition, sortedPage } from './sorted.ts'
import { searchSystem } from './system-search.ts'
import { totalOf } from './total.ts'

/** Places walked for one page: then it is answered with what was found, and where to go on. */
const maxWalked = 20_000

export function makeSearching(room: ClinicalRoom): Searching {
  return {
    search: (asked) => search(room, asked),
    system: (asked) => searchSystem(room, asked),
    find: (tx, granted, pairs, limit) => findBy(room, tx, granted, { pairs, limit }),
  }
}

async function search(room: ClinicalRoom, asked: SearchAsked): Promise<FhirTree> {
  const { engine } = room.ground
  const { by, type, base } = asked
  const token = asked.pairs.find(([name]) => name === '_page')?.[1]
  const page = token === undefined ? null : await openPage(engine, by, token)
  if (page !== null && page.type !== type) throw unknownPage()
  const pairs = page?.pairs ?? asked.pairs
  const compartment = asked.compartment
  grantFor(by, type, 's')
  const parsed = parseSearch(type, pairs, { now: engine.clock.now(), isStrict: asked.isStrict, base })
  const inPlace = compartment === undefined ? parsed : within(parsed, compartmentClause(type, compartment))
  const eyes = await openEyes(room, by, typesOf(inPlace))
  return room.parts.consents.guard(eyes.get(type)!.granted.by, kindWord(type), (heldBack) =>
    engine.db.asTenant(by.tenant, async (tx) => {
      const looking = lookingBy(room, tx, { base, eyes, heldBack })
      const wanted = await lookedUp(looking, inPlace)
      const found = await pageOf(looking, wanted, page?.after ?? null)
      const beside = await included(looking, found.items, wanted)
      await auditSearch(tx, eyes.get(type)!.granted, [...found.items, ...beside.items])
      const next = found.end === null ? null : await sealPage(engine, by, { type, pairs, after: found.end })
      return searchsetOf({
        ...{ base, path: compartment === undefined ? type : `${compartment.type}/${compartment.id}/${type}` },
        ...{ applied: parsed.applied, matches: found.items, included: beside.items, total: found.total, next },
        ...{ issues: issuesOf(parsed, found, beside.isCut), shape: parsed },
      })
    }),
  )
}

const within = (search: Search, clause: Clause): Search => ({ ...search, clauses: [clause, ...search.clauses] })
const unknownPage = () =>
  new SearchError('search-page-unknown', 'This page is of another search. Begin the search anew.')

interface Page {
  readonly items: readonly Match[]
  readonly end: Position | SortedPosition | null
  readonly total: number | null
  /** A total was asked for and is more than is counted. */
  readonly isUncounted: boolean
}

/** @param after sealed by us in the page before */
async function pageOf(looking: Looking, search: Search, after: unknown): Promise<Page> {
  const isCounting = search.count === 0 || search.summary === 'count'
  if (isCounting) {
    const total = await totalOf(looking, search)
    return { items: [], end: null, total, isUncounted: total === null }
  }
  const plan = await planOf(looking.room.ground, looking.tx, search)
  const direct = orderOf(search, plan)
  if (direct === null) {
    const page = await sortedPage(looking, search, search.count, after as SortedPosition | null)
    return { ...page, isUncounted: false }
  }
  const position = after as Position | null
  const found: Found = await find(looking, search, {
    limit: search.count,
    maxWalked,
    after: position,
    order: direct,
    plan,
  })
  const isAll = position === null && found.end === null
  if (isAll || search.total === undefined || search.total === 'none')
    return { ...found, total: isAll ? found.items.length : null, isUncounted: false }
  const total = await totalOf(looking, search)
  return { ...found, total, isUncounted: total === null }
}

function issuesOf({ ignored }: Search, { isUncounted }: Page, isCut: boolean): Issue[] {
  const warning = (rule: string, diagnostics: string, code = 'informational'): Issue => ({
    severity: 'warning',
    code,
    rule,
    diagnostics,
  })
  return [
    ...(ignored.length === 0
      ? []
      : [
          warning(
            'search-parameter',
            `Not searched by ${ignored.map(shown).join(', ')}: not known here, and left out.`,
            'not-supported',
          ),
        ]),
    ...(isUncounted
      ? [warning('search-total', 'There are too many to be counted: no total is given.', 'too-costly')]
      : []),
    ...(isCut
      ? [warning('search-include', 'More is beside these than is included: ask for it by itself.', 'too-costly')]
      : []),
  ]
}

/** One entry for what was looked for, whoever it is about; what is shown names its patients. */
async function auditSearch(tx: TenantTx, { by, type }: Granted, shownTo: readonly Match[]): Promise<void> {
  const subjects = [...new Set(shownTo.flatMap(({ stored: { subject } }) => subject ?? []))]
  await audited(tx, by, 'search', kindWord(type), { id: 'search', subjects })
}

/** In the transaction of who changes; @throws SearchError for what is not known, since a condition is never less than it says. */
async function findBy(
  room: ClinicalRoom,
  tx: TenantTx,
  granted: Granted,
  { pairs, limit }: { pairs: readonly Pair[]; limit: number },
): Promise<readonly Stored[]> {
  const { type, by } = granted
  const base = room.parts.base ?? ''
  const parsed = parseSearch(type, pairs, { now: room.ground.engine.clock.now(), isStrict: true, base })
  const others = await openEyes(
    room,
    by,
    [...typesOf(parsed)].filter((one) => one !== type),
  )
  const eyes = new Map([...others, [type, await eyesFor(room.parts, granted)]])
  const looking = lookingBy(room, tx, { base, eyes })
  const { items } = await find(looking, await lookedUp(looking, parsed), { limit, maxWalked })
  return items.map(({ stored }) => stored)
}
