/**
 * A device fetches or renews its own credential. What it shows (a claim code, or the certificate it has) decides; a fetched one ends
 * all that the device had before, so that whoever holds its old key is out.
 */
import { createHash, createPublicKey, verify, X509Certificate } from 'node:crypto'
import {
  type DeviceClaim,
  type DeviceClaimed,
  type DeviceRenewal,
  type DeviceRenewed,
  Failure,
} from '@careloop/contract'
import type { Engine, TenantTx } from '../engine/index.ts'
import { audited, type By } from '../subjects/index.ts'
import type { DeviceByCertificate } from './ca/index.ts'
import type { IssueCertificate } from './certificates.ts'
import { placeOfCode, useClaim } from './claim-codes.ts'
import { addCredential, endCredential, sha256, tokenPrefix } from './credentials.ts'
import { lockDevice } from './devices.ts'
import { readByCredential } from './directory.ts'
import { fleetFailure } from './errors.ts'
import { type FleetTables, toMsOrNull } from './schema.ts'
import { tellSuspicion } from './suspicion.ts'

export interface OwnCredentialParts {
  readonly issueCertificate: IssueCertificate
  /** Whose certificate this is, by the authority's word alone. @throws Failure `certificate-*` */
  readonly verifyCertificate: (shown: string, now: number) => DeviceByCertificate
}

const DAY_MS = 86_400_000
/** How far the clock of a device that renews may be off. */
const clockToleranceMs = 10 * 60_000
/** So long both certificates are good: the device may lose the answer and ask again with the old one. */
const overlapMs = DAY_MS

/** Of its life, from where on a device asks for the next one. Before half of it nobody is given one. */
export const renewAt = (from: number, to: number): number => from + ((to - from) * 2) / 3
const earliestAt = (from: number, to: number): number => from + (to - from) / 2

/**
 * Takes a claim code for a certificate (with `csr`, PEM; the key stays on the device) or for a token.
 * @throws Failure `claim-refused` (unknown, used, void or expired: one answer), `csr-*`, `csr-key-used`
 */
export async function claimDevice(
  engine: Engine,
  parts: OwnCredentialParts,
  wanted: DeviceClaim,
): Promise<DeviceClaimed> {
  const place = await placeOfCode(engine, wanted.code)
  if (place === null) throw claimRefused()
  const { device, tenant } = place
  const by: By = { tenant, actor: `device:${device}` }
  const issued =
    wanted.csr === undefined ? null : await parts.issueCertificate({ device, csr: wanted.csr }).catch(inBody)
  const token = issued === null ? engine.ids.token(tokenPrefix) : null
  const taken = await engine.db.asTenant(tenant, async (tx) => {
    // One at a time with renewals of this device: what they issue meanwhile must not outlive this.
    await lockDevice(tx, device)
    const outcome = await useClaim(tx, place.claim, engine.clock.now())
    if (outcome === 'used') await tellSuspicion(engine, tx, { device, reason: 'claim-code-reused' })
    if (outcome !== 'taken') {
      await audited(tx, by, 'denied', 'credential', { id: place.claim, purpose: 'HOPERAT' })
      return null
    }
    await revokeAll(engine, tx, by, device)
    const credential =
      issued === null
        ? await addCredential(engine, tx, by, {
            kind: 'token',
            device,
            digest: sha256(token!),
            label: 'claimed',
            expiresAt: null,
          })
        : await addCertificate(engine, tx, by, device, issued)
    const { name, profile } = await tx
      .tables<FleetTables>()
      .selectFrom('device')
      .select(['name', 'profile'])
      .where('id', '=', device)
      .executeTakeFirstOrThrow()
    return { credential, name, profile }
  })
  if (taken === null) throw claimRefused()
  return { device, ...taken, ...(token === null ? {} : { token }), ...(issued === null ? {} : shown(issued)) }
}

/**
 * A new certificate for a new key, signed for by the key of the one that is held.
 * @throws Failure `renewal-refused`, `renewal-too-early`, `certificate-expired` and others of the authority, `csr-*`, `csr-key-used`
 */
export async function renewCertificate(
  engine: Engine,
  parts: OwnCredentialParts,
  wanted: DeviceRenewal,
): Promise<DeviceRenewed> {
  const now = engine.clock.now()
  const held = parts.verifyCertificate(wanted.certificate, now)
  const known = await readByCredential(engine.db, 'certificate', held.fingerprint)
  if (known === null || !isSigned(wanted, now)) throw renewalRefused()
  const { tenant, device } = known.device
  const by: By = { tenant, actor: `device:${device}` }
  const { credential: old, revokedAt, expiresAt } = known.credential
  if (revokedAt !== null || (expiresAt !== null && expiresAt <= now)) {
    await engine.db.asTenant(tenant, async (tx) => {
      await tellSuspicion(engine, tx, { device, reason: 'ended-credential' })
      await audited(tx, by, 'denied', 'certificate', { id: old, purpose: 'HOPERAT' })
    })
    throw renewalRefused()
  }
  const from = new X509Certificate(wanted.certificate).validFromDate.getTime()
  if (now < earliestAt(from, held.expiresAt))
    throw fleetFailure(
      'renewal-too-early',
      'This certificate is renewed from two thirds of its life on. Ask again then.',
      {
        pointer: '/body/certificate',
        retryAfterSeconds: Math.ceil((renewAt(from, held.expiresAt) - now) / 1000),
      },
    )
  const issued = await parts.issueCertificate({ device, csr: wanted.csr }).catch(inBody)
  const credential = await engine.db.asTenant(tenant, async (tx) => {
    await lockDevice(tx, device)
    if (!(await mayBeFollowed(engine, tx, by, device, old))) return null
    const made = await addCertificate(engine, tx, by, device, issued)
    await tx
      .tables<FleetTables>()
      .updateTable('device_credential')
      .set({ followed_by: made })
      .where('id', '=', old)
      .execute()
    await shorten(tx, old, now + overlapMs)
    return made
  })
  // Revoked, claimed anew or renewed while this one was being signed.
  if (credential === null) throw renewalRefused()
  return { device, credential, ...shown(issued) }
}

type Issued = Awaited<ReturnType<IssueCertificate>>

function shown({ certificate, authority, expiresAt }: Issued) {
  const from = new X509Certificate(certificate).validFromDate.getTime()
  return { certificate, authority, expiresAt, renewFrom: Math.floor(renewAt(from, expiresAt)) }
}

/** Registers certificate and key. @throws Failure `csr-key-used` */
async function addCertificate(engine: Engine, tx: TenantTx, by: By, device: string, issued: Issued): Promise<string> {
  const { fingerprint: digest, expiresAt } = issued
  const made = await addCredential(engine, tx, by, { kind: 'certificate', device, digest, label: undefined, expiresAt })
  const key = keyDigest(issued.certificate)
  const { rows } = await tx.client.query<{ isNew: boolean }>(
    'select engine.register_device_key($1, $2, $3) as "isNew"',
    [key, device, made],
  )
  if (rows[0]!.isNew) return made
  throw fleetFailure('csr-key-used', 'This key had a certificate before. Make a new key pair on the device.', {
    pointer: '/body/csr',
  })
}

/** SHA-256 over the public key as SPKI (DER). */
const keyDigest = (certificate: string): Buffer =>
  createHash('sha256')
    .update(new X509Certificate(certificate).publicKey.export({ type: 'spki', format: 'der' }))
    .digest()

async function revokeAll(engine: Engine, tx: TenantTx, by: By, device: string): Promise<void> {
  const rows = await tx
    .tables<FleetTables>()
    .selectFrom('device_credential')
    .select('id')
    .where('device_id', '=', device)
    .where('revoked_at', 'is', null)
    .execute()
  for (const { id } of rows) await endCredential(engine, tx, by, device, id)
}

/** Whether a certificate still holds, under the device's lock. The one that was issued in its stead before, and lost on its way, ends. */
async function mayBeFollowed(engine: Engine, tx: TenantTx, by: By, device: string, old: string): Promise<boolean> {
  const row = await tx
    .tables<FleetTables>()
    .selectFrom('device_credential')
    .select(['expires_at', 'revoked_at', 'followed_by'])
    .where('id', '=', old)
    .executeTakeFirst()
  const ends = row === undefined ? null : toMsOrNull(row.expires_at)
  if (row === undefined || row.revoked_at !== null || (ends !== null && ends <= engine.clock.now())) return false
  if (row.followed_by !== null) await endCredential(engine, tx, by, device, row.followed_by)
  return true
}

async function shorten(tx: TenantTx, credential: string, to: number): Promise<void> {
  const tables = tx.tables<FleetTables>()
  const row = await tables
    .selectFrom('device_credential')
    .select('expires_at')
    .where('id', '=', credential)
    .executeTakeFirstOrThrow()
  const ends = toMsOrNull(row.expires_at)
  if (ends !== null && ends <= to) return
  await tables.updateTable('device_credential').set({ expires_at: to }).where('id', '=', credential).execute()
  await tx.client.query('select engine.shorten_credential($1, $2)', [credential, to])
}

/** What a device signs with the key it has: `openssl dgst -sha256 -sign key.pem`. The text names time and new request. */
export const renewalText = (at: number, csr: string): string =>
  `careloop certificate renewal\n${at}\n${createHash('sha256').update(csr).digest('hex')}\n`

function isSigned({ certificate, csr, at, signature }: DeviceRenewal, now: number): boolean {
  if (Math.abs(at - now) > clockToleranceMs) return false
  const key = createPublicKey(certificate)
  return verify('sha256', Buffer.from(renewalText(at, csr)), key, Buffer.from(signature, 'base64'))
}

/** The authority points into its own argument; over HTTP it was the body. */
function inBody(error: unknown): never {
  if (!(error instanceof Failure)) throw error
  throw new Failure(error.code, error.kind, error.message, { pointer: `/body${error.pointer}`, cause: error })
}

const claimRefused = () =>
  fleetFailure(
    'claim-refused',
    'This code is not good: mistyped, used, void or too old. Ask an operator for a new one.',
    {
      pointer: '/body/code',
    },
  )

const renewalRefused = () =>
  fleetFailure(
    'renewal-refused',
    'The certificate is not renewed: it has ended, or the signature or the time is wrong. Set the clock of the device; if it was reset, an operator makes a claim code.',
    { pointer: '/body' },
  )
