/** What a subscriber may read of the record: rights of the type, scopes of the app, sight, consent; nothing more than by a search. */
import { Failure } from '@careloop/contract'
import { type Eyes, eyesFor, grantFor, type Stored, thingOf } from '../../clinical/index.ts'
import type { TenantTx } from '../../engine/index.ts'
import { type By, type Consents, type Gate, seenOf } from '../../subjects/index.ts'
import type { Knowing, Known } from './parts.ts'

/** Opened before a transaction, and good for one. */
export async function knowingOf(consents: Consents, by: By): Promise<Knowing> {
  const gate = await consents.gate(by)
  const eyes = new Map<string, Eyes | null>()
  const eyesOn = async (type: string): Promise<Eyes | null> => {
    const known = eyes.get(type)
    if (known !== undefined) return known
    const opened = await openEyes({ ...consents, gate: async () => gate }, by, type)
    eyes.set(type, opened)
    return opened
  }
  return {
    async known(tx, stored) {
      const found: Known[] = []
      for (const [type, own] of Map.groupBy(stored, (each) => each.type)) {
        const looking = await eyesOn(type)
        if (looking !== null) found.push(...(await seenBy(tx, looking, own, gate)))
      }
      return found
    },
  }
}

async function openEyes(consents: Pick<Consents, 'gate'>, by: By, type: string): Promise<Eyes | null> {
  try {
    return await eyesFor({ consents }, grantFor(by, type, 'r'))
  } catch (error) {
    // Their roles or scopes do not include this type any more.
    if (error instanceof Failure && error.kind.disposition === 'reject') return null
    throw error
  }
}

async function seenBy(tx: TenantTx, eyes: Eyes, stored: readonly Stored[], gate: Gate): Promise<Known[]> {
  const ids = stored.flatMap(({ subject }) => subject ?? [])
  const seen = await seenOf(tx, ids, eyes.granted.by.sight)
  const found: Known[] = []
  for (const each of stored) {
    if (each.subject !== null && !seen.has(each.subject)) continue
    if (await eyes.shows(tx, each)) found.push(await withConsent(tx, gate, each))
  }
  return found
}

async function withConsent(tx: TenantTx, gate: Gate, stored: Stored): Promise<Known> {
  if (stored.subject === null) return { stored, isOutside: false, consent: null, isNoticed: false }
  const shown = await gate.shown(tx, stored.subject)
  const { consent, obligations } = shown.decide(thingOf(stored))
  return { stored, isOutside: shown.isOutside, consent: consent ?? null, isNoticed: obligations.length > 0 }
}
