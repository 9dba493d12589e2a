/** Consents as rows: the state in the clear, the FHIR record sealed under the subject's key, one row for each version. */
import type { Selectable } from 'kysely'
import type { DataKey, Engine, TenantTx } from '../../engine/index.ts'
import { type ConsentTable, type SubjectsTables, toMs, toMsOrNull } from '../schema.ts'
import { isErased } from '../subject-store.ts'
import type { ConsentTerms } from './decide.ts'
import { type ConsentState, type FhirConsent, termsOf } from './fhir-consent.ts'

/** A consent, opened. */
export interface Consent {
  readonly row: Selectable<ConsentTable>
  readonly resource: FhirConsent
  readonly terms: ConsentTerms
}

// The additional data ties the bytes to their row: the body of one version does not open as another.
const bodyPlace = (tenant: string, id: string, version: number) => `consent:${tenant}:${id}:${version}`
const reasonPlace = (tenant: string, id: string, version: number) => `consent-reason:${tenant}:${id}:${version}`

export interface NewVersion {
  readonly id: string
  readonly version: number
  readonly at: number
  readonly actor: string
  readonly resource: FhirConsent
  readonly reason?: string | undefined
}

export async function writeVersion(tx: TenantTx, key: DataKey, wanted: NewVersion): Promise<void> {
  const { id, version, at, actor, resource, reason } = wanted
  await tx
    .tables<SubjectsTables>()
    .insertInto('consent_version')
    .values({
      ...{ consent_id: id, version, at, actor, key_id: key.id },
      body: key.seal(Buffer.from(JSON.stringify(resource)), bodyPlace(tx.tenant, id, version)),
      reason: reason === undefined ? null : key.seal(Buffer.from(reason), reasonPlace(tx.tenant, id, version)),
    })
    .execute()
}

/** All of a subject in their newest version, oldest first; none of who was erased: without a record nothing is permitted. */
export async function consentsOf(engine: Engine, tx: TenantTx, subject: string): Promise<Consent[]> {
  const rows = await tx
    .tables<SubjectsTables>()
    .selectFrom('consent')
    .innerJoin('consent_version', (join) =>
      join
        .onRef('consent_version.consent_id', '=', 'consent.id')
        .onRef('consent_version.version', '=', 'consent.version')
        .onRef('consent_version.tenant_id', '=', 'consent.tenant_id'),
    )
    .selectAll('consent')
    .select(['consent_version.body', 'consent_version.key_id'])
    .where('consent.subject_id', '=', subject)
    .orderBy('consent.id')
    .execute()
  if (rows.length === 0) return []
  const key = await keyOrErased(engine, rows[0]!.key_id)
  if (key === null) return []
  return rows.map(({ body, key_id: _key, ...row }) => {
    const resource = openBody(key, tx.tenant, row.id, row.version, body)
    return { row, resource, terms: termsOf(stateOf(row), resource) }
  })
}

async function keyOrErased(engine: Engine, id: string): Promise<DataKey | null> {
  try {
    return await engine.keys.key(id)
  } catch (error) {
    if (isErased(error)) return null
    throw error
  }
}

export interface WrittenVersion {
  readonly version: number
  readonly at: number
  readonly by: string
  readonly reason?: string
  readonly resource: FhirConsent
}

/** Every version of one consent, oldest first. @throws Failure `key-destroyed` */
export async function versionsOf(engine: Engine, tx: TenantTx, id: string): Promise<WrittenVersion[]> {
  const rows = await tx
    .tables<SubjectsTables>()
    .selectFrom('consent_version')
    .selectAll()
    .where('consent_id', '=', id)
    .orderBy('version')
    .execute()
  return Promise.all(
    rows.map(async ({ version, at, actor, key_id, body, reason }) => {
      const key = await engine.keys.key(key_id)
      const why = reason && key.open(reason, reasonPlace(tx.tenant, id, version)).toString()
      return {
        ...{ version, at: toMs(at), by: actor, resource: openBody(key, tx.tenant, id, version, body) },
        ...(why === null ? {} : { reason: why }),
      }
    }),
  )
}

const openBody = (key: DataKey, tenant: string, id: string, version: number, body: Uint8Array): FhirConsent =>
  JSON.parse(key.open(body, bodyPlace(tenant, id, version)).toString()) as FhirConsent

export const stateOf = (row: Selectable<ConsentTable>): ConsentState => ({
  ...{ id: row.id, status: row.status, grantee: { kind: row.grantee_kind, id: row.grantee_id } },
  ...{ from: toMs(row.from_at), until: toMsOrNull(row.until_at), endedAt: toMsOrNull(row.ended_at) },
})
