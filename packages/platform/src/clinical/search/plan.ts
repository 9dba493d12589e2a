/** Where a search looks, in blind keys, subjects and rids: the best of its lookups leads, the others pass over rows unopened. */
import {
  clinicalDateOf,
  type IndexKey,
  type Lookup,
  lookupsOf,
  type Search,
  textOf,
  updateWindowOf,
  type Window,
  windowOf,
} from '@careloop/fhir'
import type { TenantTx } from '../../engine/index.ts'
import type { Blind } from '../store/blind.ts'
import type { Ground } from '../store/ground.ts'
import { nameOf, subjectsBehind } from '../store/references.ts'

/** Rows that have one of the keys, lie in one of the compartments, or are one of these. */
export interface Places {
  readonly keys: readonly string[]
  readonly subjects: readonly string[]
  readonly rids: readonly string[]
}

export interface Plan {
  readonly type: string
  /** What leads to the rows; null = all of the type. */
  readonly lead: Places | null
  /** How much the lead may find: 7 = perhaps most of the type. */
  readonly rank: number
  /** With `narrowed`: those that last long, wherever they start. */
  readonly long: readonly string[]
  /** Rows must have something of each. */
  readonly others: readonly Places[]
  /** ms; rows that start at or after the first, or end at or before the second, cannot fit. Null = not narrowed. */
  readonly narrowed: Narrowed | null
  /** The same of the time of the last change. */
  readonly updated: Narrowed | null
}

export interface Narrowed {
  readonly startsBefore: number | null
  readonly endsAfter: number | null
}

/** A code alone finds a good part of a type; a patient, an identifier or a reference does not. */
export const weakest = 7

/** A lead of more places than this costs more than it finds. */
const maxLead = 2_000
/** To pass over rows, more keys than this cost more than opening the rows. */
const maxPass = 64

export async function planOf(ground: Ground, tx: TenantTx, search: Pick<Search, 'type' | 'clauses'>): Promise<Plan> {
  const blind = await ground.blinds(tx.tenant)
  const usable = lookupsOf(search).filter((lookup) => sizeOf(lookup) <= maxLead)
  const [best, ...more] = usable
  const adds = ({ covers }: Lookup) => !covers.every((clause) => best?.covers.includes(clause))
  const rest = more.filter((lookup) => adds(lookup) && sizeOf(lookup) <= maxPass)
  const patients = [best, ...rest].flatMap((lookup) => lookup?.patients ?? [])
  const subjects = await compartmentsOf(ground, tx, patients)
  const window = windowOf(search)
  const keys = best?.keys ?? [textOf.all(search.type)]
  return {
    type: search.type,
    rank: best?.rank ?? weakest,
    lead: best === undefined ? null : placesOf(best, blind, subjects),
    long: window.isNarrowed ? keys.map((key: IndexKey) => blind.key(textOf.long(key))) : [],
    others: rest.map((lookup) => placesOf(lookup, blind, subjects)),
    narrowed: narrowedTo(window),
    updated: narrowedTo(updateWindowOf(search)),
  }
}

/** Whole ms, outwards. */
function narrowedTo({ isNarrowed, startsBefore, endsAfter }: Window): Narrowed | null {
  if (!isNarrowed) return null
  return {
    startsBefore: Number.isFinite(startsBefore) ? Math.ceil(startsBefore) : null,
    endsAfter: Number.isFinite(endsAfter) ? Math.floor(endsAfter) : null,
  }
}

/** Also of a Patient that was deleted: what was told of them stands. */
async function compartmentsOf(
  ground: Ground,
  tx: TenantTx,
  patients: readonly string[],
): Promise<ReadonlyMap<string, string | null>> {
  if (patients.length === 0) return new Map()
  const blind = await ground.blinds(tx.tenant)
  const byRid = new Map(patients.map((patient) => [blind.rid('Patient', targetOfName(patient).id), patient]))
  const { rows } = await tx.client.query<{ rid: string; subject_id: string | null }>({
    name: 'careloop-clinical-compartments',
    text: 'select rid, subject_id from tenant.clinical_resource where tenant_id = $1 and rid = any($2::uuid[])',
    values: [tx.tenant, [...byRid.keys()]],
  })
  const found = new Map(rows.map((row) => [byRid.get(row.rid)!, row.subject_id]))
  const missing = patients.filter((patient) => !found.has(patient)).map(targetOfName)
  return new Map([...found, ...(await subjectsBehind(ground, tx, missing))])
}

const sizeOf = ({ keys, patients, ids }: Lookup): number => keys.length + patients.length + ids.length

const targetOfName = (reference: string) => {
  const [type = '', id = ''] = reference.split('/')
  return { type, id }
}

function placesOf({ keys, patients, ids }: Lookup, blind: Blind, subjects: ReadonlyMap<string, string | null>): Places {
  return {
    keys: keys.map((key) => blind.key(key)),
    // A patient that nobody made has no compartment: nothing is found in it.
    subjects: patients.flatMap((patient) => subjects.get(nameOf(targetOfName(patient))) ?? []),
    rids: ids.map((reference) => {
      const { type, id } = targetOfName(reference)
      return blind.rid(type, id)
    }),
  }
}

/**
 * The order in which a search walks, where rows lie in its order: by the clinical date, newest or oldest first. By the last change
 * where that is asked for, or where nothing is said and nothing else narrows it (who keeps a copy asks for what is newer).
 * Null: what fits must be sorted.
 */
export function orderOf({ type, sort }: Pick<Search, 'type' | 'sort'>, plan: Plan): Order | null {
  const [first, ...more] = sort
  const isOnlyByUpdate = plan.lead === null && plan.updated !== null && plan.narrowed === null
  if (first === undefined) return { by: isOnlyByUpdate ? 'updated_at' : 'at', isDescending: true }
  if (more.length > 0) return null
  const { isDescending } = first
  if (first.parameter.code === clinicalDateOf(type)) return { by: 'at', isDescending }
  // Who is led by a patient or an identifier finds few: they are sorted, and the type is not walked for them.
  const isWalked = first.parameter.code === '_lastUpdated' && plan.rank >= weakest
  return isWalked ? { by: 'updated_at', isDescending } : null
}

export interface Order {
  readonly by: 'at' | 'updated_at'
  readonly isDescending: boolean
}
