/** Consent as other rooms hold it: record and withdraw, and ask before anything of a person is shown, told or sent. */
import {
  type ConsentHistory,
  type ConsentPurpose,
  type ConsentSettings,
  type ConsentView,
  type NewConsent,
  redisclosureNotice,
  type WithdrawConsent,
} from '@careloop/contract'
import { record } from '../../audit/index.ts'
import type { Engine, TenantTx } from '../../engine/index.ts'
import type { By } from '../by.ts'
import { subjectFailure } from '../errors.ts'
import { assertSubject } from '../sight.ts'
import { consentsOf } from './consent-rows.ts'
import { consentHistory, type GranteesOf, listConsents, recordConsent, withdrawConsent } from './consent-store.ts'
import type { Asker, Decision } from './decide.ts'
import { type Disclosure, disclosuresOf, type NewDisclosure, recordDisclosure } from './disclosure.ts'
import { labellingOf, type ProgramSignals, type ProgramsOf, type ProgramsWithin } from './programs.ts'
import { type ConsentSetting, changeSettings, readSetting, readSettings } from './settings.ts'
import { type Shown, seesAllUnasked, shownTo, shownToAsker, showsAll, type Thing } from './shown.ts'

/** Opened before a transaction, since it reads what a later room knows of programs; good for one request or one event. */
export interface Gate {
  /** Nothing of anybody is held back from who asks: a caller with nothing else to read needs no transaction to learn it. */
  readonly everything: boolean
  /** What of this person is shown to who asks, as it stands in this transaction. */
  shown(tx: TenantTx, subject: string): Promise<Shown>
}

/** Opened before a transaction, like a gate. */
export interface Telling {
  /** Accounts of caregivers who may be told of this thing of this person, as it stands in this transaction. */
  caregivers(tx: TenantTx, subject: string, thing: Thing): Promise<string[]>
}

/** What is to leave: to whom, what, why. */
export interface Sharing {
  readonly subject: string
  readonly recipient: Asker
  readonly what: Thing
  readonly purpose: ConsentPurpose
  /** Legal proceedings: id of the court's order. */
  readonly courtOrder?: string | undefined
}

export interface Consents {
  record(by: By, subject: string, wanted: NewConsent): Promise<ConsentView>
  withdraw(by: By, of: { subject: string; consent: string }, wanted: WithdrawConsent): Promise<ConsentView>
  list(by: By, subject: string): Promise<ConsentView[]>
  history(by: By, of: { subject: string; consent: string }): Promise<ConsentHistory['items']>
  settings(by: By): Promise<ConsentSettings>
  changeSettings(by: By, wanted: ConsentSettings): Promise<ConsentSettings>
  /** @param by without `who` (stages of the server, its console) everything is shown */
  gate(by: By, purpose?: ConsentPurpose): Promise<Gate>
  /** Whom of the caregivers something may be told. */
  telling(tenant: string): Promise<Telling>
  /** Whether this may be sent there; asked before every export, message and disclosure. Nothing is written. */
  mayShare(tenant: string, sharing: Sharing): Promise<Decision>
  /** The same, in a transaction whose caller has the programs. @throws Failure `disclosure-refused` */
  assertMayShare(by: By, sharing: Sharing): Promise<Decision>
  /**
   * Runs a read that may find something held back; what it says was held back of a person is written into the trail once its own
   * transaction was taken back.
   */
  guard<T>(by: By, resource: string, read: (heldBack: (subject: string) => void) => Promise<T>): Promise<T>
  /** Writes a refused look into the trail. The caller then answers as for what is not there. */
  refused(by: By, subject: string, resource: string): Promise<void>
  /** One row for the accounting of disclosures, in the transaction that reads what goes out. */
  disclose(tx: TenantTx, by: Pick<By, 'actor' | 'requestId'>, disclosure: NewDisclosure): Promise<string>
  disclosures(tx: TenantTx, subject: string, span: { from: number; to: number }): Promise<Disclosure[]>
  /** 42 CFR 2.32: goes with whatever a decision with the obligation `redisclosure-notice` lets out. */
  readonly notice: string
}

export interface ConsentParts {
  readonly programs: ProgramsOf
  /** The same inside a transaction: a service asks often, and its looks need no transaction besides the one they read in. */
  readonly programsWithin?: ProgramsWithin
  readonly grantees: GranteesOf
}

/** @param parts without them no program bears a label and every grantee is taken as named: for what has no later rooms */
export function makeConsents(engine: Engine, parts: ConsentParts | null): Consents {
  const programsOf: ProgramsOf = parts?.programs ?? (async () => [])
  const grantees = parts?.grantees ?? null
  const within = parts?.programsWithin
  const mayShare = async (tenant: string, sharing: Sharing) =>
    decideSharing(engine, await programsOf(tenant), tenant, sharing)
  return {
    record: (by, subject, wanted) => recordConsent(engine, grantees, by, subject, wanted),
    withdraw: (by, of, wanted) => withdrawConsent(engine, grantees, by, of, wanted),
    list: (by, subject) => listConsents(engine, grantees, by, subject),
    history: (by, of) => consentHistory(engine, by, of),
    settings: (by) => readSettings(engine, by),
    changeSettings: (by, wanted) => changeSettings(engine, by, wanted),
    gate: async ({ tenant, who }, purpose) => {
      if (who === undefined) return showsAllOfAll
      // A person may see all without a further question, which is settled here; a service never does.
      let programs = who.kind === 'service' && within !== undefined ? null : await programsOf(tenant)
      if (programs !== null && seesAllUnasked(programs, who, purpose)) return showsAllOfAll
      let setting: ConsentSetting | null = null
      const known = new Map<string, Shown>()
      return {
        everything: false,
        async shown(tx, subject) {
          setting ??= await readSetting(tx)
          programs ??= await tx.readOne(within!, null)
          const shown = known.get(subject) ?? (await shownTo({ engine, programs, setting }, tx, who, subject, purpose))
          known.set(subject, shown)
          return shown
        },
      }
    },
    async telling(tenant) {
      const programs = await programsOf(tenant)
      return { caregivers: (tx, subject, thing) => caregiversTold(engine, programs, tx, subject, thing) }
    },
    mayShare,
    async assertMayShare(by, sharing) {
      const decision = await mayShare(by.tenant, sharing)
      if (decision.decision === 'permit') return decision
      await refuse(engine, by, sharing.subject, 'disclosure')
      throw subjectFailure('disclosure-refused', 'No consent allows this. Ask the patient for one first.')
    },
    refused: (by, subject, resource) => refuse(engine, by, subject, resource),
    async guard(by, resource, read) {
      // A shared reading may be run twice: one refusal is told once.
      const heldBack = new Set<string>()
      try {
        return await read((subject) => void heldBack.add(subject))
      } catch (error) {
        for (const subject of heldBack) await refuse(engine, by, subject, resource)
        throw error
      }
    },
    disclose: (tx, by, disclosure) => recordDisclosure(engine, tx, by, disclosure),
    disclosures: (tx, subject, span) => disclosuresOf(engine, tx, subject, span),
    notice: redisclosureNotice,
  }
}

const showsAllOfAll: Gate = { everything: true, shown: async () => showsAll }

async function caregiversTold(
  engine: Engine,
  programs: readonly ProgramSignals[],
  tx: TenantTx,
  subject: string,
  thing: Thing,
): Promise<string[]> {
  const consents = await consentsOf(engine, tx, subject)
  const named = consents.flatMap(({ terms: { grantee } }) =>
    grantee.kind === 'caregiver' && grantee.id !== null ? [grantee.id] : [],
  )
  if (named.length === 0) return []
  const asked = {
    ...({ subject, purpose: 'PATRQT', now: engine.clock.now() } as const),
    setting: await readSetting(tx),
    labelling: await labellingOf(tx, subject, programs),
  }
  const told: string[] = []
  for (const id of new Set(named))
    if ((await shownToAsker(engine, tx, { ...asked, asker: { kind: 'caregiver', id } })).may(thing)) told.push(id)
  return told
}

const decideSharing = (
  engine: Engine,
  programs: readonly ProgramSignals[],
  tenant: string,
  { subject, recipient, what, purpose, courtOrder }: Sharing,
): Promise<Decision> =>
  engine.db.asTenant(tenant, async (tx) => {
    await assertSubject(tx, subject, '/params/id')
    const asked = {
      ...{ asker: recipient, subject, purpose, courtOrder, now: engine.clock.now() },
      setting: await readSetting(tx),
      labelling: await labellingOf(tx, subject, programs),
    }
    return (await shownToAsker(engine, tx, asked)).decide(what)
  })

const refuse = (engine: Engine, { tenant, actor, requestId }: By, subject: string, resource: string): Promise<void> =>
  engine.db.asTenant(tenant, (tx) => record(tx, { actor, requestId, action: 'denied', resource, subject }))
