/** Certificates of devices: signed by the built-in authority, then let in by their fingerprint. */
import { type DeviceCertificateIssued, Failure, type NewDeviceCertificate } from '@careloop/contract'
import type { Engine } from '../engine/index.ts'
import type { By } from '../subjects/index.ts'
import { registerCertificate } from './credentials.ts'
import { deviceNotFound } from './devices.ts'
import type { FleetTables } from './schema.ts'

/** What the authority (`fleet/ca`) gives for one device. Without `csr` it makes the key too. */
export type IssueCertificate = (wanted: { readonly device: string; readonly csr?: string }) => Promise<{
  /** PEM */
  readonly certificate: string
  /** PEM of the authority */
  readonly authority: string
  /** PEM (PKCS #8), when made here */
  readonly privateKey?: string
  /** SHA-256 over the certificate's DER */
  readonly fingerprint: Buffer
  readonly expiresAt: number
}>

/** @throws Failure `device-not-found`, those of the authority for a bad `csr` */
export async function issueFor(
  engine: Engine,
  issue: IssueCertificate,
  by: By,
  device: string,
  wanted: NewDeviceCertificate,
): Promise<DeviceCertificateIssued> {
  await engine.db.asTenant(by.tenant, async (tx) => {
    const found = await tx.tables<FleetTables>().selectFrom('device').select('id').where('id', '=', device).execute()
    if (found.length === 0) throw deviceNotFound()
  })
  const { csr } = wanted
  const { fingerprint, ...issued } = await issue({ device, ...(csr === undefined ? {} : { csr }) }).catch(inBody)
  const { expiresAt } = issued
  const credential = await registerCertificate(engine, by, { device, fingerprint, expiresAt, label: wanted.label })
  return { credential, ...issued, fingerprint: fingerprint.toString('hex') }
}

/** The authority points into its own argument; who asked over HTTP sent it as the body. */
function inBody(error: unknown): never {
  if (!(error instanceof Failure)) throw error
  throw new Failure(error.code, error.kind, error.message, { pointer: `/body${error.pointer}`, cause: error })
}
