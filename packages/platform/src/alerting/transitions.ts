/** What an alert row, its event and its fact need of what the evaluator told: read and computed before any row is locked. */
import type { OwnedRule, Source, Transition } from '@careloop/rules'
import type { DataKey, Engine } from '../engine/index.ts'
import type { Subjects } from '../subjects/index.ts'
import { isDamage, isErased } from './checkpoint.ts'
import { type CommitsAtHand, type Evidence, EvidenceSource, gatherEvidence } from './evidence.ts'
import type { Rulebook } from './rulebook.ts'
import { type AlertSummary, summaryOf } from './summary.ts'

/** A transition and the log entry that decided it. */
export interface Decided {
  readonly transition: Transition
  readonly tenant: string
  readonly partition: number
  readonly position: number
  /** Log time of that entry. */
  readonly storedAt: number
  /** Which of the commit's transitions. */
  readonly ordinal: number
  /** The limit of its own that the subject had; null = the rule's. */
  readonly override: string | null
  /** Of a silence: the newest entry before it, as far as this holder heard it. */
  readonly lastHeard: Source | undefined
}

/** A transition with all that its transaction needs: nothing is read or computed while rows are locked. */
export interface Prepared extends Decided {
  readonly rule: OwnedRule
  readonly program: string
  readonly key: DataKey
  readonly summary: AlertSummary | null
  readonly evidence: Evidence | null
}

export interface Preparing {
  readonly engine: Engine
  readonly subjects: Pick<Subjects, 'names'>
  readonly rulebook: Rulebook
  readonly atHand: CommitsAtHand
}

/** All of a commit, in their order; those of subjects that were erased meanwhile are left out: nothing is kept of them. */
export async function prepareAll(parts: Preparing, decided: readonly Decided[]): Promise<Prepared[]> {
  if (decided.length === 0) return []
  const zones = await zonesOf(parts, decided)
  const source = new EvidenceSource(parts.engine.log, parts.atHand)
  const prepared = await Promise.all(decided.map((each) => prepare(parts, source, each, zones)))
  return prepared.filter((each) => each !== null)
}

async function zonesOf(
  { engine, subjects }: Preparing,
  decided: readonly Decided[],
): Promise<ReadonlyMap<string, string>> {
  const zones = new Map<string, string>()
  for (const [tenant, ofTenant] of Map.groupBy(decided, (each) => each.tenant)) {
    const raised = ofTenant.filter(({ transition }) => raises(transition)).map(({ transition }) => transition.subject)
    if (raised.length === 0) continue
    for (const [id, timeZone] of await zonesOfMany({ engine, subjects }, tenant, [...new Set(raised)]))
      zones.set(id, timeZone)
  }
  return zones
}

/** Of a subject that cannot be opened the zone is not known: its alert is told in UTC rather than nobody's in any. */
async function zonesOfMany(
  { engine, subjects }: Pick<Preparing, 'engine' | 'subjects'>,
  tenant: string,
  ids: readonly string[],
): Promise<[string, string][]> {
  try {
    return [...(await subjects.names(tenant, ids))].map(([id, { timeZone }]) => [id, timeZone])
  } catch (err) {
    if (!isDamage(err)) throw err
    if (ids.length > 1)
      return (await Promise.all(ids.map((id) => zonesOfMany({ engine, subjects }, tenant, [id])))).flat()
    engine.watch.log.error({ err, tenant, subject: ids[0] }, 'a subject could not be opened: its alert is told in UTC')
    return []
  }
}

/** Whether it opens an alert, or raises an open one again. */
export const raises = ({ what }: Transition): boolean => !(what === 'cleared' || what === 'evidence-changed')

async function prepare(
  { engine, rulebook }: Preparing,
  source: EvidenceSource,
  decided: Decided,
  zones: ReadonlyMap<string, string>,
): Promise<Prepared | null> {
  const { transition, tenant, override } = decided
  const { rule, version } = transition
  const { definition, program, compiled } = await rulebook.overridden(tenant, rule, version, override)
  try {
    const key = await engine.keys.keyFor('subject', transition.subject)
    const zone = zones.get(transition.subject) ?? 'UTC'
    const evidence = await gatherEvidence(source, compiled, transition, decided.lastHeard)
    const summary = raises(transition) ? inWords(engine, definition, transition, zone) : null
    return { ...decided, rule: definition, program, key, summary, evidence }
  } catch (error) {
    if (isErased(error)) return null
    if (!isDamage(error)) throw error
    engine.watch.log.error(
      { err: error, tenant, rule },
      'an alert is told in bare words: what it says could not be sealed',
    )
    return inBareWords(engine, { ...decided, rule: definition, program })
  }
}

/** The subject's key is damaged: the rule's title says nothing of a person, so another key may seal it. */
async function inBareWords(engine: Engine, about: Omit<Prepared, 'key' | 'summary' | 'evidence'>): Promise<Prepared> {
  const key = await engine.keys.keyFor('tenant', about.tenant)
  const { transition, rule } = about
  const summary = { sentence: rule.title, value: '', unit: '', measuredAt: transition.at }
  return { ...about, key, summary: raises(transition) ? summary : null, evidence: null }
}

/** An alert in bare words is better than none: a sentence that cannot be made must not stop the cursor for everybody. */
function inWords(engine: Engine, rule: OwnedRule, transition: Transition, timeZone: string): AlertSummary {
  try {
    return summaryOf(rule, transition, timeZone)
  } catch (err) {
    engine.watch.log.error({ err, rule: transition.rule }, 'the sentence of an alert could not be made')
    return { sentence: rule.title, value: '', unit: '', measuredAt: transition.at }
  }
}
