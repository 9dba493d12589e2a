/** Recording and withdrawing: each a version that is kept, a fact that streams hear, and an audit entry, in one transaction. */
import {
  type ConsentHistory,
  type ConsentView,
  type GranteeKind,
  NewConsent,
  WithdrawConsent,
} from '@careloop/contract'
import type { Engine, TenantTx } from '../../engine/index.ts'
import { assertPerson, audited, type By } from '../by.ts'
import { subjectFailure } from '../errors.ts'
import { type SubjectsTables, toMs } from '../schema.ts'
import { assertLasting, assertSubject, subjectNotFound } from '../sight.ts'
import { type Consent, consentsOf, versionsOf, writeVersion } from './consent-rows.ts'
import { syncSight } from './consent-sight.ts'
import { isInForce } from './decide.ts'
import { ended, toFhir, verificationOf } from './fhir-consent.ts'
import { labelsOfPart2 } from './who.ts'

/** Caregivers with an account at this chart, service tokens, and what they are called; null = whoever is named is taken as it is. */
export type GranteesOf = (
  tenant: string,
  subject: string,
) => Promise<ReadonlyMap<string, { kind: GranteeKind; name: string }>>

/** @throws Failure `person-needed`, `subject-not-found`, `sight-temporary`, `consent-not-of-patient`, `consent-grantee-unknown`, `consent-span-wrong` */
export async function recordConsent(
  engine: Engine,
  grantees: GranteesOf | null,
  by: By,
  subject: string,
  input: NewConsent,
): Promise<ConsentView> {
  assertPerson(by, 'What a patient permits or forbids, a person hears from them.')
  const wanted = NewConsent.parse(input)
  const names = grantees === null ? null : await grantees(by.tenant, subject)
  const grantee = granteeOf(wanted.grantee, names)
  const now = engine.clock.now()
  const from = wanted.from ?? now
  assertSpan(wanted.decision, from, wanted.until, now)
  const id = engine.ids.uuid()
  return engine.db.asTenant(by.tenant, async (tx) => {
    const key = await engine.keys.key(await keyIdOf(tx, by, subject))
    await assertLasting(tx, subject, '/params/id', by.sight)
    const content = {
      ...{ id, subject, decision: wanted.decision, grantee, classes: wanted.classes, purposes: wanted.purposes },
      ...{ labels: wanted.part2 ? labelsOfPart2 : [], from, until: wanted.until ?? null, recordedAt: now },
      verification: wanted.verification,
    }
    await tx
      .tables<SubjectsTables>()
      .insertInto('consent')
      .values({
        ...{
          id,
          subject_id: subject,
          grantee_kind: grantee.kind,
          grantee_id: grantee.id,
          status: 'active',
          version: 1,
        },
        ...{ from_at: from, until_at: wanted.until ?? null, ended_at: null, recorded_at: now, recorded_by: by.actor },
      })
      .execute()
    await writeVersion(tx, key, { id, version: 1, at: now, actor: by.actor, resource: toFhir(content) })
    return finish(engine, tx, by, 'create', await consentOf(engine, tx, subject, id), names)
  })
}

/**
 * From its moment on: what was shared before was shared rightly, unless it was an error in recording. Withdrawn twice is withdrawn.
 * @throws Failure `person-needed`, `subject-not-found`, `sight-temporary`, `consent-not-found`
 */
export async function withdrawConsent(
  engine: Engine,
  grantees: GranteesOf | null,
  by: By,
  { subject, consent: id }: { subject: string; consent: string },
  input: WithdrawConsent,
): Promise<ConsentView> {
  assertPerson(by, 'What a patient takes back, they say themselves or to a person.')
  const wanted = WithdrawConsent.parse(input)
  const names = grantees === null ? null : await grantees(by.tenant, subject)
  return engine.db.asTenant(by.tenant, async (tx) => {
    const key = await engine.keys.key(await keyIdOf(tx, by, subject))
    await assertLasting(tx, subject, '/params/id', by.sight)
    await tx.client.query('select from tenant.consent where tenant_id = $1 and id = $2 for update', [tx.tenant, id])
    const found = await consentOf(engine, tx, subject, id)
    const status = wanted.enteredInError ? 'entered-in-error' : 'inactive'
    // An error may be told of what was withdrawn before; it counts no more for the past either.
    if (found.row.status !== 'active' && !(status === 'entered-in-error' && found.row.status === 'inactive'))
      return viewOf(found, engine.clock.now(), names)
    const now = engine.clock.now()
    const version = found.row.version + 1
    await tx
      .tables<SubjectsTables>()
      .updateTable('consent')
      .set({ status, version, ended_at: now })
      .where('id', '=', id)
      .execute()
    await writeVersion(tx, key, {
      ...{ id, version, at: now, actor: by.actor, reason: wanted.reason },
      resource: ended(found.resource, status, now, version),
    })
    return finish(engine, tx, by, 'revoke', await consentOf(engine, tx, subject, id), names)
  })
}

/** All of a person, oldest first, those that are over too. @throws Failure `subject-not-found` */
export async function listConsents(
  engine: Engine,
  grantees: GranteesOf | null,
  by: By,
  subject: string,
): Promise<ConsentView[]> {
  const names = grantees === null ? null : await grantees(by.tenant, subject)
  return engine.db.asTenant(by.tenant, async (tx) => {
    await keyIdOf(tx, by, subject)
    const consents = await consentsOf(engine, tx, subject)
    await audited(tx, by, 'read', 'consent', { subjects: [subject] })
    return consents.map((consent) => viewOf(consent, engine.clock.now(), names))
  })
}

/** Every version with its FHIR record. @throws Failure `subject-not-found`, `consent-not-found` */
export const consentHistory = (
  engine: Engine,
  by: By,
  { subject, consent: id }: { subject: string; consent: string },
): Promise<ConsentHistory['items']> =>
  engine.db.asTenant(by.tenant, async (tx) => {
    await keyIdOf(tx, by, subject)
    await consentOf(engine, tx, subject, id)
    await audited(tx, by, 'read', 'consent', { id, subjects: [subject] })
    return (await versionsOf(engine, tx, id)).map((version) => ({ ...version, resource: { ...version.resource } }))
  })

// ---------------------------------------------------------------- parts

function granteeOf(
  wanted: { kind: GranteeKind; id?: string | undefined },
  names: Awaited<ReturnType<GranteesOf>> | null,
): { kind: GranteeKind; id: string | null } {
  const { kind, id } = wanted
  const pointer = '/body/grantee/id'
  if (kind === 'treatment') {
    if (id === undefined) return { kind, id: null }
    throw unknownGrantee('All treatment names nobody. Leave the id out.', pointer)
  }
  if (id === undefined) throw unknownGrantee('Name whom it is for.', pointer)
  // Studies are not kept here: their id is their sponsor's.
  if (names !== null && kind !== 'research' && names.get(id)?.kind !== kind)
    throw unknownGrantee('There is no such account or service token here. Make it first.', pointer)
  return { kind, id }
}

const unknownGrantee = (message: string, pointer: string) =>
  subjectFailure('consent-grantee-unknown', message, { pointer })

function assertSpan(decision: 'permit' | 'deny', from: number, until: number | undefined, now: number): void {
  const wrong = (message: string, pointer: string) => subjectFailure('consent-span-wrong', message, { pointer })
  if (until !== undefined && until <= from) throw wrong('The end must come after the beginning.', '/body/until')
  // Whoever says no says it now; a refusal that waits would be a permission meanwhile that nobody asked for.
  if (decision === 'deny' && from > now) throw wrong('A refusal begins now. Leave its beginning out.', '/body/from')
}

/** @throws Failure `subject-not-found`, `consent-not-of-patient` */
async function keyIdOf(tx: TenantTx, by: By, subject: string): Promise<string> {
  await assertSubject(tx, subject, '/params/id', by.sight)
  const row = await tx
    .tables<SubjectsTables>()
    .selectFrom('subject')
    .select(['kind', 'key_id'])
    .where('id', '=', subject)
    .executeTakeFirst()
  if (row === undefined) throw subjectNotFound('/params/id')
  if (row.kind !== 'patient')
    throw subjectFailure('consent-not-of-patient', 'Only people consent. Choose a patient.', { pointer: '/params/id' })
  return row.key_id
}

async function consentOf(engine: Engine, tx: TenantTx, subject: string, id: string): Promise<Consent> {
  const found = (await consentsOf(engine, tx, subject)).find(({ row }) => row.id === id)
  if (found === undefined)
    throw subjectFailure('consent-not-found', 'No consent of this person has this id. List them again.', {
      pointer: '/params/consent',
    })
  return found
}

async function finish(
  engine: Engine,
  tx: TenantTx,
  by: By,
  action: 'create' | 'revoke',
  consent: Consent,
  names: Awaited<ReturnType<GranteesOf>> | null,
): Promise<ConsentView> {
  const { id, grantee } = consent.terms
  const subject = consent.row.subject_id
  await syncSight(engine, tx, by, subject, grantee)
  await tx.publish({ type: 'ConsentChanged', consent: id, subject, grantee: grantee.id })
  await audited(tx, by, action, 'consent', { id, subjects: [subject] })
  return viewOf(consent, engine.clock.now(), names)
}

function viewOf(
  { row, resource, terms }: Consent,
  now: number,
  names: Awaited<ReturnType<GranteesOf>> | null,
): ConsentView {
  const { grantee } = terms
  const name = grantee.id === null ? undefined : names?.get(grantee.id)?.name
  return {
    ...{ id: row.id, subject: row.subject_id, version: row.version, status: row.status },
    ...{ inForce: row.status === 'active' && isInForce(terms, now), decision: terms.decision },
    grantee: {
      kind: grantee.kind,
      ...(grantee.id === null ? {} : { id: grantee.id }),
      ...(name === undefined ? {} : { name }),
    },
    ...{ classes: [...terms.classes], purposes: [...terms.purposes], part2: terms.labels.length > 0, from: terms.from },
    ...(terms.until === null ? {} : { until: terms.until }),
    ...(terms.endedAt === null ? {} : { endedAt: terms.endedAt }),
    ...{ verification: verificationOf(resource), recordedAt: toMs(row.recorded_at), recordedBy: row.recorded_by },
  }
}
