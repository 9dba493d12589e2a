/**
 * What a device shows to be let in: a token (only its SHA-256 is kept) or a certificate (its fingerprint). Doors find them
 * before they know a tenant, in `engine.device_credential`, which is written through functions that reach one's own tenant only.
 */
import { createHash } from 'node:crypto'
import type { CredentialView, DeviceTokenIssued, NewDeviceToken } from '@careloop/contract'
import type { Engine, TenantTx } from '../engine/index.ts'
import { audited, type By } from '../subjects/index.ts'
import { deviceNotFound } from './devices.ts'
import { fleetFailure } from './errors.ts'
import { type FleetTables, toMs, toMsOrNull } from './schema.ts'

export const tokenPrefix = 'cld'

export const sha256 = (bytes: string | Uint8Array): Buffer => createHash('sha256').update(bytes).digest()

/** Makes a token and shows it this once. @throws Failure `device-not-found`, `credential-expiry-wrong` */
export async function createDeviceToken(
  engine: Engine,
  by: By,
  device: string,
  wanted: NewDeviceToken,
): Promise<DeviceTokenIssued> {
  const expiresAt = wanted.expiresAt ?? null
  if (expiresAt !== null && expiresAt <= engine.clock.now())
    throw fleetFailure('credential-expiry-wrong', 'The token would have expired already. Give a later instant.', {
      pointer: '/body/expiresAt',
    })
  const token = engine.ids.token(tokenPrefix)
  const credential = await engine.db.asTenant(by.tenant, (tx) =>
    addCredential(engine, tx, by, { kind: 'token', device, digest: sha256(token), label: wanted.label, expiresAt }),
  )
  return { credential, token, expiresAt }
}

export interface CertificateToRegister {
  readonly device: string
  /** SHA-256 over the certificate's DER. */
  readonly fingerprint: Buffer
  readonly expiresAt: number
  readonly label?: string | undefined
}

/** Lets a certificate in. @throws Failure `device-not-found`, `credential-known` */
export const registerCertificate = (engine: Engine, by: By, wanted: CertificateToRegister): Promise<string> =>
  engine.db.asTenant(by.tenant, (tx) =>
    addCredential(engine, tx, by, {
      kind: 'certificate',
      device: wanted.device,
      digest: wanted.fingerprint,
      label: wanted.label,
      expiresAt: wanted.expiresAt,
    }),
  )

/**
 * Ends a credential at once, and the one that the device fetched in its stead; again is fine. Doors hear `CredentialRevoked`.
 * @throws Failure `credential-not-found`
 */
export const revokeCredential = (engine: Engine, by: By, device: string, credential: string): Promise<void> =>
  engine.db.asTenant(by.tenant, async (tx) => {
    // A renewal that is under way comes before, and is ended with it, or after, and is refused.
    await tx.tables<FleetTables>().selectFrom('device').select('id').where('id', '=', device).forUpdate().execute()
    const found = await tx
      .tables<FleetTables>()
      .selectFrom('device_credential')
      .select('followed_by')
      .where('id', '=', credential)
      .where('device_id', '=', device)
      .executeTakeFirst()
    if (!found)
      throw fleetFailure('credential-not-found', 'The device has no such credential. List its credentials.', {
        pointer: '/params/credential',
      })
    await endCredential(engine, tx, by, device, credential)
    if (found.followed_by !== null) await endCredential(engine, tx, by, device, found.followed_by)
  })

/** In a transaction of the caller's; one that has ended stays as it is. */
export async function endCredential(
  engine: Engine,
  tx: TenantTx,
  by: By,
  device: string,
  credential: string,
): Promise<void> {
  const now = engine.clock.now()
  const ended = await tx
    .tables<FleetTables>()
    .updateTable('device_credential')
    .set({ revoked_at: now, revoked_by: by.actor })
    .where('id', '=', credential)
    .where('revoked_at', 'is', null)
    .executeTakeFirst()
  if (ended.numUpdatedRows === 0n) return
  await tx.client.query('select engine.revoke_credential($1, $2)', [credential, now])
  await tx.publish({ type: 'CredentialRevoked', device, credential })
  await audited(tx, by, 'revoke', 'credential', { id: credential, purpose: 'HOPERAT' })
}

/** Credentials of a device, oldest first, revoked ones too. Never the secret. */
export const listCredentials = (engine: Engine, tenant: string, device: string): Promise<CredentialView[]> =>
  engine.db.asTenant(tenant, async (tx) => {
    await assertDevice(tx, device)
    const rows = await tx
      .tables<FleetTables>()
      .selectFrom('device_credential')
      .selectAll()
      .where('device_id', '=', device)
      .orderBy('id')
      .execute()
    return rows.map((row) => ({
      id: row.id,
      kind: row.kind,
      label: row.label,
      createdAt: toMs(row.created_at),
      expiresAt: toMsOrNull(row.expires_at),
      revokedAt: toMsOrNull(row.revoked_at),
    }))
  })

// ---------------------------------------------------------------- parts

export interface NewCredential {
  readonly kind: 'token' | 'certificate'
  readonly device: string
  readonly digest: Buffer
  readonly label: string | undefined
  readonly expiresAt: number | null
}

/** In a transaction of the caller's. @throws Failure `device-not-found`, `credential-known` */
export async function addCredential(engine: Engine, tx: TenantTx, by: By, wanted: NewCredential): Promise<string> {
  await assertDevice(tx, wanted.device)
  const id = engine.ids.uuid()
  const { rows } = await tx.client.query<{ made: boolean }>(
    'select engine.register_credential($1, $2, $3, $4, $5) as made',
    [wanted.kind, wanted.digest, wanted.device, id, wanted.expiresAt],
  )
  if (!rows[0]!.made)
    throw fleetFailure('credential-known', 'This certificate is registered already. Make another one.', {
      pointer: '/body',
    })
  await tx
    .tables<FleetTables>()
    .insertInto('device_credential')
    .values({
      id,
      device_id: wanted.device,
      kind: wanted.kind,
      label: wanted.label ?? null,
      created_at: engine.clock.now(),
      expires_at: wanted.expiresAt,
    })
    .execute()
  await audited(tx, by, 'create', 'credential', { id, purpose: 'HOPERAT' })
  return id
}

async function assertDevice(tx: TenantTx, id: string): Promise<void> {
  const found = await tx.tables<FleetTables>().selectFrom('device').select('id').where('id', '=', id).executeTakeFirst()
  if (!found) throw deviceNotFound()
}
