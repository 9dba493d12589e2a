/** What all searches of one request share: with which eyes the asker sees each type, opened before the transaction. */
import type { Clause, HasClause, Resource, Search } from '@careloop/fhir'
import type { TenantTx } from '../../engine/index.ts'
import type { By } from '../../subjects/index.ts'
import { type Eyes, eyesFor, grantFor, mayDo } from '../rights.ts'
import type { ClinicalRoom } from '../store/room.ts'
import { servedTypes } from '../types.ts'
import type { Looking } from './find.ts'
import { isPointedAt } from './looked-up.ts'

export type EyesByType = ReadonlyMap<string, Eyes>

/** By one gate for all types: whose consents are asked does not depend on the type. */
export async function openEyes(room: ClinicalRoom, by: By, types: Iterable<string>): Promise<EyesByType> {
  const gate = await room.parts.consents.gate(by)
  const found = new Map<string, Eyes>()
  for (const type of new Set(types))
    if (mayDo(by, type, 's')) {
      const consents = { gate: async () => gate }
      found.set(type, await eyesFor({ consents }, grantFor(by, type, 's')))
    }
  return found
}

/** Types that a search may look into besides its own: of chains, of `_has`, and of what is included. */
export function typesOf({ type, clauses, includes, revIncludes }: Search): ReadonlySet<string> {
  const types = new Set([type])
  for (const clause of clauses) addTypes(types, clause)
  if (includes.length === 0 && revIncludes.length === 0) return types
  // A reference may point to anything, and includes go on from what was included.
  return new Set([...types, ...Object.keys(servedTypes)])
}

function addTypes(types: Set<string>, clause: Clause): void {
  if (clause.kind === 'has') {
    types.add(clause.type)
    addTypes(types, clause.clause)
  }
  if (clause.kind !== 'chain') return
  for (const { type, clause: next } of clause.targets) {
    types.add(type)
    addTypes(types, next)
  }
}

export function lookingBy(
  room: ClinicalRoom,
  tx: TenantTx,
  { base, eyes, heldBack }: { base: string; eyes: EyesByType; heldBack?: (subject: string) => void },
): Looking {
  const looking: Looking = {
    ...{ room, tx, base },
    ...(heldBack === undefined ? {} : { heldBack }),
    eyes: (type) => eyes.get(type) ?? null,
    async has(resource: Resource, clauses: readonly Clause[]) {
      for (const clause of clauses)
        if (clause.kind === 'has' && !(await isPointedAt(looking, resource, clause as HasClause))) return false
      return true
    },
  }
  return looking
}
