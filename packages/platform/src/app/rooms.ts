/** The rooms of one process, each made once, in the order in which they may call each other. */
import type { SubjectKind } from '@careloop/contract'
import { profile } from '@careloop/profiles'
import {
  type Alerting,
  activeProgramKind,
  makeAlerting,
  programSignals,
  programSignalsWithin,
  readPrograms,
} from '../alerting/index.ts'
import {
  type Clinical,
  type FhirRoom,
  fhirBase,
  type KeepingViews,
  makeClinical,
  makeFhirRoom,
  takeInSubjects,
  viewsCursor,
} from '../clinical/index.ts'
import type { Engine } from '../engine/index.ts'
import { ensureCa, type Fleet, issueDeviceCertificate, makeFleet, verifyDeviceCertificate } from '../fleet/index.ts'
import { type Identity, makeIdentity } from '../identity/index.ts'
import { makeQuarantine, type Quarantine } from '../ingest/index.ts'
import {
  makeSubscriptions,
  type SubscriptionParts,
  type Subscriptions,
  takeSubscription,
  wireSubscriptions,
} from '../integrations/index.ts'
import { type Erasures, makeSubjects, type Subjects } from '../subjects/index.ts'
import { makeWorkflow, mayTake, type Ways, type Workflow } from '../workflow/index.ts'
import { openErasures } from './erasures.ts'
import { fhirViews } from './fhir-views.ts'
import { granteesOf } from './grantees.ts'
import { shippedPrograms } from './shipped-programs.ts'

export interface Rooms {
  readonly engine: Engine
  readonly identity: Identity
  readonly subjects: Subjects
  readonly erasures: Erasures
  readonly fleet: Fleet
  readonly quarantine: Quarantine
  readonly clinical: Clinical
  /** What the rooms show as FHIR. */
  readonly views: KeepingViews
  /** The same as its routes take it. */
  readonly fhir: FhirRoom
  readonly alerting: Alerting
  readonly workflow: Workflow
  /** Who can be told, and whether by e-mail besides the pages. */
  readonly ways: Ways
  /** Systems outside that are told, and what their stage stands on. */
  readonly subscriptions: Subscriptions
  readonly telling: SubscriptionParts
}

export async function openRooms(
  engine: Engine,
  options: {
    secureCookies: boolean
    signInsPerMinute?: number
    idleLockMs?: number
    publicOrigin?: string | undefined
    allowPrivateUrls?: readonly string[]
    email?: boolean
    /** Where the ledger of erasures is kept outside the database; absent = nowhere. */
    erasureLedgerFile?: string
  },
): Promise<Rooms> {
  const identity = await makeIdentity(engine, {
    secureCookies: options.secureCookies,
    signInsPerMinute: options.signInsPerMinute ?? 10,
    idleLockMs: options.idleLockMs ?? 15 * 60_000,
    publicOrigin: options.publicOrigin,
    outbound: { allowPrivate: options.allowPrivateUrls ?? [] },
    // A mail without an address of the pages would carry no link.
    mailsInvitations: options.email === true && options.publicOrigin !== undefined,
  })
  const staff = (tenant: string) => identity.members(tenant)
  const enrolling = {
    programKind: (tenant: string, code: string) => activeProgramKind(engine, tenant, code),
    async mayAnswer(tenant: string, id: string, kind: SubjectKind) {
      const person = (await staff(tenant)).find((each) => each.id === id)
      return person !== undefined && mayTake(tenant, person, kind)
    },
  }
  const subjects = makeSubjects(engine, staff, enrolling, {
    programs: (tenant) => programSignals(engine, tenant),
    programsWithin: programSignalsWithin,
    grantees: (tenant, subject) => granteesOf(identity, tenant, subject),
  })
  const ca = await ensureCa(engine)
  const fleet = makeFleet(engine, {
    knowsProfile: (code) => profile(code) !== undefined,
    issueCertificate: (wanted) => issueDeviceCertificate(engine, ca, wanted),
    verifyCertificate: (shown, now) => verifyDeviceCertificate(ca, shown, now),
  })
  const quarantine = makeQuarantine({ engine, attribution: fleet.attribution })
  const takeIn = takeInSubjects(engine)
  const fhir = makeFhirRoom(engine, {
    consents: subjects.consents,
    takeIn: async (tx, by, taking) =>
      taking.resource.resourceType === 'Subscription'
        ? { subject: null, tree: await takeSubscription(telling, tx, by, taking) }
        : takeIn(tx, by, taking),
    isOverTls: options.secureCookies,
    base: options.publicOrigin === undefined ? undefined : `${options.publicOrigin}${fhirBase}`,
  })
  const clinical = makeClinical(fhir)
  const telling = wireSubscriptions({
    ...{ engine, clinical, consents: subjects.consents },
    outbound: { allowPrivate: options.allowPrivateUrls ?? [] },
    base: `${options.publicOrigin ?? 'http://localhost:8080'}${fhirBase}`,
    horizon: () => engine.db.cursor(viewsCursor),
  })
  const subscriptions = makeSubscriptions(telling)
  const alerting = makeAlerting(engine, subjects, staff, await readPrograms(shippedPrograms))
  const workflow = makeWorkflow(engine, subjects, staff)
  const ways = { staff, email: options.email ?? false, consents: subjects.consents }
  const erasures = openErasures(engine, options.erasureLedgerFile ?? null)
  const views = fhirViews(engine, clinical)
  return {
    ...{ engine, identity, subjects, erasures, fleet, quarantine, clinical, views, fhir, alerting, workflow, ways },
    ...{ subscriptions, telling },
  }
}
