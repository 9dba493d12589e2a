/** Resources beside the matches: what they point to, and what points to them; only what the asker sees by each type's own right. */
import { type Include, parametersOf, referencesOf, type SearchParameter, targetOf } from '@careloop/fhir'
import { openRow, rowsByRid } from '../store/rows.ts'
import { isServed, servedTypes } from '../types.ts'
import { find, type Looking, type Match } from './find.ts'
import { among } from './looked-up.ts'

/** More beside one page is left out, and said to be. */
const maxIncluded = 1_000
/** Steps of `:iterate`. */
const maxSteps = 5

export interface Included {
  readonly items: readonly Match[]
  readonly isCut: boolean
}

export async function included(
  looking: Looking,
  matches: readonly Match[],
  asked: { readonly includes: readonly Include[]; readonly revIncludes: readonly Include[] },
): Promise<Included> {
  const all = new Map(matches.map((match) => [match.stored.rid, match]))
  const found: Match[] = []
  let from = matches
  for (let step = 0; from.length > 0 && step < maxSteps; step++) {
    const wanted = ({ isIterating }: Include) => step === 0 || isIterating
    const next = [
      ...(await pointedTo(looking, from, asked.includes.filter(wanted))),
      ...(await pointing(looking, from, asked.revIncludes.filter(wanted))),
    ].filter(({ stored: { rid } }) => !all.has(rid))
    from = [...new Map(next.map((match) => [match.stored.rid, match])).values()]
    for (const match of from) {
      all.set(match.stored.rid, match)
      found.push(match)
    }
    if (found.length > maxIncluded) return { items: found.slice(0, maxIncluded), isCut: true }
  }
  return { items: found, isCut: false }
}

async function pointedTo(looking: Looking, from: readonly Match[], includes: readonly Include[]): Promise<Match[]> {
  const references = new Set<string>()
  for (const { resource } of from) {
    for (const include of includes) {
      if (include.type !== '*' && include.type !== resource.resourceType) continue
      for (const parameter of parametersIn(resource.resourceType, include)) {
        for (const reference of referencesOf(resource, parameter, looking.base)) {
          const target = /^[A-Z]/.test(reference) ? targetOf(reference) : null
          if (target !== null && (include.target ?? target.type) === target.type) references.add(reference)
        }
      }
    }
  }
  return open(looking, [...references].slice(0, maxIncluded + 1))
}

const parametersIn = (type: string, { parameter }: Include): readonly SearchParameter[] =>
  parameter === '*' ? [...parametersOf(type).values()].filter(({ type: kind }) => kind === 'reference') : [parameter]

/** Resources by their references, in sight of the asker. */
export async function open(looking: Looking, references: readonly string[]): Promise<Match[]> {
  const { room, tx } = looking
  const blind = await room.ground.blinds(tx.tenant)
  const targets = references.flatMap((reference) => targetOf(reference) ?? []).filter(({ type }) => isServed(type))
  if (targets.length === 0) return []
  const rows = await rowsByRid(
    tx,
    targets.map(({ type, id }) => blind.rid(type, id)),
  )
  const found: Match[] = []
  for (const row of rows) {
    const eyes = row === undefined || row.deleted_at !== null ? null : looking.eyes(row.type)
    if (row === undefined || eyes === null || !eyes.seesRow(row)) continue
    const stored = await openRow(room.ground.engine, tx.tenant, row)
    if (!(await eyes.shows(tx, stored, looking.heldBack))) continue
    found.push({ stored, resource: JSON.parse(stored.text), position: { time: '0', seq: '0' } })
  }
  return found
}

async function pointing(looking: Looking, from: readonly Match[], includes: readonly Include[]): Promise<Match[]> {
  const found: Match[] = []
  const references = from.map(({ resource }) => `${resource.resourceType}/${resource.id}`)
  for (const include of includes) {
    for (const type of include.type === '*' ? Object.keys(servedTypes) : [include.type]) {
      for (const parameter of parametersIn(type, include)) {
        const own = references.filter((reference) => isTargetOf(parameter, reference, include.target))
        if (own.length === 0) continue
        const question = { type, clauses: [among(parameter, own)], sort: [] }
        const bounds = { limit: maxIncluded + 1, maxWalked: maxIncluded * 4 }
        found.push(...(await find(looking, question, bounds)).items)
      }
    }
  }
  return found
}

function isTargetOf({ targets }: SearchParameter, reference: string, only: string | undefined): boolean {
  const type = targetOf(reference)?.type ?? ''
  return (only ?? type) === type && targets?.includes(type) === true
}
