/** Resources that a search finds, opened and decided on one by one, until there are enough. */
import { type Clause, matches, type Resource, type Search } from '@careloop/fhir'
import type { TenantTx } from '../../engine/index.ts'
import type { Eyes } from '../rights.ts'
import type { ClinicalRoom } from '../store/room.ts'
import { openRow } from '../store/rows.ts'
import type { Stored } from '../stored.ts'
import { type Candidate, type Position, type Walk, windowAfter } from './candidates.ts'
import { type Order, orderOf, type Plan, planOf } from './plan.ts'

/** What all searches of one request share. */
export interface Looking {
  readonly room: ClinicalRoom
  readonly tx: TenantTx
  /** Under which absolute references are our own. */
  readonly base: string
  /** Null: nothing of this type is there for them. */
  eyes(type: string): Eyes | null
  /** Decides what `matches` cannot: a `_has` that too much fulfils to look it up beforehand. */
  has(resource: Resource, clauses: readonly Clause[]): Promise<boolean>
  /** Hears whose consent kept something back. */
  readonly heldBack?: (subject: string) => void
}

export interface Match {
  readonly stored: Stored
  readonly resource: Resource
  readonly position: Position
}

export interface Found {
  readonly items: readonly Match[]
  /** Where to go on; null = that was all. */
  readonly end: Position | null
}

export interface Bounds {
  /** Enough. */
  readonly limit: number
  /** Places walked at most: then what was found is answered, with where to go on. */
  readonly maxWalked: number
  readonly after?: Position | null
  readonly order?: Order
  /** Of this search, where the caller has made it already. */
  readonly plan?: Plan
}

/** Sealed bytes of a window, beyond which the next is small. */
const largestBytes = 16 << 20
/** Characters held for one search: a page of large documents is shorter, and memory is not a client's to fill. */
const maxHeld = 64 << 20

/** A window holds at least this many, and at most that. */
const smallest = 16
const largest = 1_000
/** Rows before it is known how large theirs are. */
const first = 64

export async function find(
  looking: Looking,
  search: Pick<Search, 'type' | 'clauses' | 'sort'>,
  { limit, maxWalked, after = null, order: asked, plan: known }: Bounds,
): Promise<Found> {
  const eyes = looking.eyes(search.type)
  if (eyes === null) return { items: [], end: null }
  const plan = known ?? (await planOf(looking.room.ground, looking.tx, search))
  const order = asked ?? orderOf(search, plan) ?? newestFirst
  const walk: Walk = { plan: order.by === 'at' ? plan : byUpdate(plan), order, sight: eyes.granted.by.sight }
  const items: Match[] = []
  let position: Position | null = after
  let walked = 0
  let held = 0
  for (let size = Math.min(Math.max(smallest, limit + 1), first); ; size = Math.min(size * 4, largest)) {
    const window = await windowAfter(looking.tx, walk, position, size)
    for (const candidate of window.candidates) {
      const match = await decided(looking, eyes, search.clauses, candidate)
      if (match === null) continue
      if (items.length === limit) return { items, end: items.at(-1)?.position ?? position }
      items.push(match)
      held += match.stored.text.length
      if (held >= maxHeld) return { items, end: match.position }
    }
    walked += window.walked
    const bytes = window.candidates.reduce((sum, { body }) => sum + body.length, 0)
    if (bytes > largestBytes) size = smallest / 4
    position = window.end
    if (position === null || items.length >= limit || walked >= maxWalked) return { items, end: position }
  }
}

/** Keys and compartments lie by the clinical date: in another order the type is walked, and they pass over what has none. */
const byUpdate = (plan: Plan): Plan =>
  plan.lead === null ? plan : { ...plan, lead: null, others: [plan.lead, ...plan.others] }

export const newestFirst: Order = { by: 'at', isDescending: true }

/** The row opened, when it fits and is shown to them. */
export async function decided(
  looking: Looking,
  eyes: Eyes,
  clauses: readonly Clause[],
  candidate: Candidate,
): Promise<Match | null> {
  const { room, tx, base } = looking
  const stored = await openRow(room.ground.engine, tx.tenant, candidate)
  const resource = JSON.parse(stored.text) as Resource
  const told = clauses.filter(({ kind }) => kind !== 'has')
  if (!matches(resource, told, { base })) return null
  if (told.length < clauses.length && !(await looking.has(resource, clauses))) return null
  if (!(await eyes.shows(tx, stored, looking.heldBack))) return null
  return { stored, resource, position: { time: candidate.time, seq: candidate.seq } }
}
