/**
 * What of one person is shown to whoever asks: the consents, the labels and the organisation's settings, read in the transaction that
 * reads what is shown, then one pure decision for each thing.
 */
import { type ConsentPurpose, type SignalClass, type SubjectKind, signalClassOf } from '@careloop/contract'
import type { Engine, TenantTx } from '../../engine/index.ts'
import type { Principal } from '../../identity/index.ts'
import { consentsOf } from './consent-rows.ts'
import { type Asker, type ConsentTerms, type Decision, decide, type SharedThing } from './decide.ts'
import { type Labelling, labellingOf, type ProgramSignals } from './programs.ts'
import type { ConsentSetting } from './settings.ts'
import { askerOf, isClinician } from './who.ts'

/** One thing of a person, as later rooms name it; what is not named is no condition. */
export interface Thing {
  /** Codes of the vocabulary: all must be permitted. */
  readonly signals?: readonly string[]
  readonly class?: SignalClass | 'person'
  /** What it was inferred by: it inherits the label. */
  readonly program?: string
}

/** Answers for one person and one asker. */
export interface Shown {
  /** Nothing is held back: there is no need to ask thing by thing. */
  readonly everything: boolean
  /** It leaves the organisation: `disclose` what is shown. */
  readonly isOutside: boolean
  decide(thing: Thing): Decision
  may(thing: Thing): boolean
}

const all: Decision = { decision: 'permit', because: 'treatment', obligations: [] }
const nothing: Decision = { decision: 'deny', because: 'no-consent', obligations: [] }
export const showsAll: Shown = { everything: true, isOutside: false, decide: () => all, may: () => true }
const showsNothing: Shown = { everything: false, isOutside: false, decide: () => nothing, may: () => false }

export interface Asking {
  readonly engine: Engine
  readonly programs: readonly ProgramSignals[]
  readonly setting: ConsentSetting
}

/** Most looks are of clinicians where nothing is under Part 2: a worklist of hundreds of patients asks nothing about each. */
function seesAllInCare({ programs, setting }: Asking, who: Principal, purpose?: ConsentPurpose): boolean {
  if (seesAllUnasked(programs, who, purpose)) return true
  if (purpose !== undefined && purpose !== 'TREAT') return false
  if (who.kind === 'service') return !isAnyLabelled(programs) && setting.ownServices.includes(who.id)
  return who.kind === 'staff' && isClinician(who) && !setting.holdsPart2
}

/** Whether it stands before anything is read of the organisation's settings: a live page asks for every few facts. */
export const seesAllUnasked = (
  programs: readonly ProgramSignals[],
  who: Principal,
  purpose: ConsentPurpose = 'TREAT',
): boolean => purpose === 'TREAT' && who.kind === 'staff' && isClinician(who) && !isAnyLabelled(programs)

const isAnyLabelled = (programs: readonly ProgramSignals[]): boolean => programs.some(({ part2 }) => part2)

export async function shownTo(
  asking: Asking,
  tx: TenantTx,
  who: Principal,
  subject: string,
  purpose?: ConsentPurpose,
): Promise<Shown> {
  if (seesAllInCare(asking, who, purpose)) return showsAll
  const { engine, programs, setting } = asking
  const kind = await kindOf(tx, subject)
  if (kind === null) return showsNothing
  if (kind !== 'patient') return showsAll
  const labelling = await labellingOf(tx, subject, programs)
  const now = engine.clock.now()
  const asker = await askerOf(tx, who, subject, { setting, programs: labelling.programs, now })
  if (asker === null) return showsNothing
  return shownToAsker(engine, tx, { asker, subject, setting, labelling, purpose: purpose ?? purposeOf(asker), now })
}

interface AskedFor {
  readonly asker: Asker
  readonly subject: string
  readonly setting: ConsentSetting
  readonly labelling: Labelling
  readonly purpose: ConsentPurpose
  readonly now: number
  readonly courtOrder?: string | undefined
}

export async function shownToAsker(engine: Engine, tx: TenantTx, asked: AskedFor): Promise<Shown> {
  const { asker, setting, labelling, purpose, courtOrder } = asked
  const isUnlabelled = labelling.programs.length === 0 || !setting.holdsPart2
  if (purpose !== 'HLEGAL' && (asker.kind === 'self' || (asker.kind === 'clinician' && isUnlabelled))) return showsAll
  const consents: readonly ConsentTerms[] = (await consentsOf(engine, tx, asked.subject)).map(({ terms }) => terms)
  const decideOne = (what: SharedThing): Decision =>
    decide({ ...{ consents, asker, what, purpose, at: asked.now, holdsPart2: setting.holdsPart2 }, courtOrder })
  const decideThing = (thing: Thing): Decision => mostHeldBack(thingsOf(thing, labelling).map(decideOne))
  return {
    everything: false,
    isOutside: (asker.kind === 'integration' && !asker.own) || asker.kind === 'research' || purpose === 'HLEGAL',
    decide: decideThing,
    may: (thing) => decideThing(thing).decision === 'permit',
  }
}

/** Whoever treats looks to treat; whom the patient lets in looks at the patient's wish. */
const purposeOf = ({ kind }: Asker): ConsentPurpose =>
  kind === 'clinician' || kind === 'integration' ? 'TREAT' : kind === 'research' ? 'HRESCH' : 'PATRQT'

/** A thing with several signals is as many things: what one of them may not tell, the whole may not. */
function thingsOf({ signals, class: named, program }: Thing, labelling: Labelling): SharedThing[] {
  const inherited = program === undefined ? [] : labelling.ofProgram(program)
  const ofProgram = program === undefined || inherited.length === 0 ? [] : [[program]]
  if (signals === undefined || signals.length === 0)
    return [{ class: named ?? null, labels: inherited, labelledBy: ofProgram }]
  return signals.map((code) => {
    const readers = labelling.readersOf(code)
    return {
      class: named ?? signalClassOf(code),
      labels: [...new Set([...inherited, ...labelling.ofSignal(code)])],
      labelledBy: readers.length === 0 ? ofProgram : [...ofProgram, readers],
    }
  })
}

function mostHeldBack(decisions: readonly Decision[]): Decision {
  const denied = decisions.find(({ decision }) => decision === 'deny')
  if (denied !== undefined) return denied
  return decisions.find(({ obligations }) => obligations.length > 0) ?? decisions[0]!
}

async function kindOf(tx: TenantTx, subject: string): Promise<SubjectKind | null> {
  const { rows } = await tx.client.query<{ kind: SubjectKind }>(
    'select kind from tenant.subject where tenant_id = $1 and id = $2',
    [tx.tenant, subject],
  )
  return rows[0]?.kind ?? null
}
