/** The trail as compliance reads it: searched, summed up for one record, and what went outside. Each reading is itself recorded. */
import type { AboutWhom, AuditLines, AuditSearch, Disclosures, Lookers, WhoLooked } from '@careloop/contract'
import { type AuditAction, readTrail, record, trailLookers } from '../audit/index.ts'
import type { TenantTx } from '../engine/index.ts'
import { type ComplianceParts, namesOfActors, type Office, subjectAbout } from './office.ts'

const YEAR_MS = 365.25 * 86_400_000
/** The trail is kept for six years at least; the accounting of disclosures reaches as far back (45 CFR 164.528(a)(1)). */
const sixYearsMs = 6 * YEAR_MS

export async function searchTrail(parts: ComplianceParts, office: Office, search: AuditSearch): Promise<AuditLines> {
  const { about, action, limit, ...rest } = search
  const subject = about === undefined ? undefined : await subjectAbout(parts, office, about)
  const nameOf = await namesOfActors(parts, office.tenant)
  const rows = await parts.engine.db.asTenant(office.tenant, async (tx) => {
    await recordLook(tx, office, subject)
    return readTrail(tx, { ...rest, subject, action: action as AuditAction | undefined, limit: limit + 1 })
  })
  const items = rows.slice(0, limit).map(({ actor, detail: _, ...row }) => ({ ...row, by: nameOf(actor) }))
  return { items, next: rows.length > limit ? items.at(-1)!.id : null }
}

/** Everybody who came to one record, who came last first. */
export async function whoLooked(parts: ComplianceParts, office: Office, wanted: WhoLooked): Promise<Lookers> {
  const { subject, from, to } = await spanOf(parts, office, wanted)
  const nameOf = await namesOfActors(parts, office.tenant)
  const rows = await parts.engine.db.asTenant(office.tenant, async (tx) => {
    const found = await trailLookers(tx, { subject, from, to })
    // Afterwards, so that whoever asks does not stand at the head of their own answer.
    await recordLook(tx, office, subject)
    return found
  })
  const items = rows.map(({ actor, actions, purposes, ...row }) => ({
    ...{ ...row, by: nameOf(actor), actions: [...actions], purposes: [...purposes] },
  }))
  return { subject, items }
}

/** What went outside of one record: the accounting that a patient may ask for. */
export async function disclosuresOf(parts: ComplianceParts, office: Office, wanted: WhoLooked): Promise<Disclosures> {
  const { subject, from, to } = await spanOf(parts, office, wanted)
  const nameOf = await namesOfActors(parts, office.tenant)
  const rows = await parts.engine.db.asTenant(office.tenant, async (tx) => {
    await recordLook(tx, office, subject)
    return parts.subjects.consents.disclosures(tx, subject, { from, to })
  })
  const items = rows.map(({ id, at, recipient, purpose, actor, what }) => ({
    ...{ id, at, purpose, description: what.description, noticed: what.noticed, by: nameOf(actor) },
    recipient: { kind: recipient.kind, id: recipient.id, name: what.recipient ?? recipient.name ?? null },
  }))
  return { subject, items }
}

async function spanOf(
  parts: ComplianceParts,
  office: Office,
  {
    about,
    from,
    to,
  }: { readonly about: AboutWhom; readonly from?: number | undefined; readonly to?: number | undefined },
) {
  const now = parts.engine.clock.now()
  return { subject: await subjectAbout(parts, office, about), from: from ?? now - sixYearsMs, to: to ?? now }
}

/** Who reads the trail stands in it: by whose record, when one was asked for. */
const recordLook = (tx: TenantTx, { actor, requestId }: Office, subject: string | undefined): Promise<void> =>
  record(tx, { actor, requestId, action: 'search', resource: 'audit', subject, purpose: 'HOPERAT' })
