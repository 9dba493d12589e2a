/**
 * The built-in certificate authority, made on the first start: an ECDSA P-256 root whose private key lies sealed in the
 * database, so that every process of an installation signs with the same one.
 */
import { webcrypto } from 'node:crypto'
import type { DataKey, Engine, EngineTx } from '../../engine/index.ts'
import { P256, randomSerial, SIGN } from './signing.ts'
import * as x509 from './x509.ts'

export interface CertificateAuthority {
  /** The certificate that signs now. */
  readonly certificate: x509.X509Certificate
  readonly privateKey: webcrypto.CryptoKey
  /** PEM of the signing certificate. */
  readonly pem: string
  /** PEM of all that are trusted, the signing one first: what a door gives as `ca`. */
  readonly trustedPem: string
  /** When the signing certificate ends, ms since epoch. */
  readonly notAfter: number
}

const DAY_MS = 86_400_000
const VALID_MS = 20 * 365 * DAY_MS
/** A successor is made this long before the end: certificates of devices (2 years) must not outlive their signer. */
const SUCCESSOR_MS = 3 * 365 * DAY_MS

type Needs = Pick<Engine, 'db' | 'keys' | 'clock' | 'ids'>

/** Opens the authority, or makes it; also when several processes start at once. */
export async function ensureCa(engine: Needs): Promise<CertificateAuthority> {
  const key = await engine.keys.keyFor('ca', 'root')
  const rows = await engine.db.asEngine(async (tx) => {
    // One maker: two roots would each be trusted by half of the devices.
    await tx.client.query(`select pg_advisory_xact_lock(hashtextextended('careloop certificate authority', 0))`)
    const there = await authorities(tx)
    const newest = there[0]
    if (newest && newest.not_after.getTime() - engine.clock.now() > SUCCESSOR_MS) return there
    await insert(tx, key, await makeRoot(engine.ids.uuid(), engine.clock.now()))
    return authorities(tx)
  })
  const now = engine.clock.now()
  return open(
    engine,
    rows[0]!,
    rows.filter((row) => row.not_after.getTime() > now),
  )
}

interface AuthorityRow {
  readonly id: string
  readonly certificate: Buffer
  readonly key_id: string
  readonly sealed_key: Buffer
  readonly not_after: Date
}

async function authorities(tx: EngineTx): Promise<AuthorityRow[]> {
  const { rows } = await tx.client.query<AuthorityRow>(
    'select id, certificate, key_id, sealed_key, not_after from engine.certificate_authority order by not_after desc, id',
  )
  return rows
}

interface Root {
  readonly id: string
  readonly certificate: x509.X509Certificate
  readonly pkcs8: Buffer
}

async function makeRoot(id: string, now: number): Promise<Root> {
  const keys = await webcrypto.subtle.generateKey(P256, true, ['sign', 'verify'])
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    serialNumber: randomSerial(),
    name: [{ CN: ['Careloop device authority'] }, { OU: [id] }],
    notBefore: new Date(now - DAY_MS),
    notAfter: new Date(now + VALID_MS),
    signingAlgorithm: SIGN,
    keys,
    extensions: [
      new x509.BasicConstraintsExtension(true, 0, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  })
  return { id, certificate, pkcs8: Buffer.from(await webcrypto.subtle.exportKey('pkcs8', keys.privateKey)) }
}

async function insert(tx: EngineTx, key: DataKey, root: Root): Promise<void> {
  const { id, certificate, pkcs8 } = root
  await tx.client.query(
    `insert into engine.certificate_authority (id, certificate, key_id, sealed_key, not_after) values ($1, $2, $3, $4, $5)`,
    [id, Buffer.from(certificate.rawData), key.id, key.seal(pkcs8, place(id)), certificate.notAfter],
  )
  pkcs8.fill(0)
}

async function open(engine: Needs, row: AuthorityRow, trusted: readonly AuthorityRow[]): Promise<CertificateAuthority> {
  const pkcs8 = (await engine.keys.key(row.key_id)).open(row.sealed_key, place(row.id))
  // Not extractable: the key can sign, but nothing in this process can read it out again.
  const privateKey = await webcrypto.subtle.importKey('pkcs8', pkcs8, P256, false, ['sign'])
  pkcs8.fill(0)
  const certificate = new x509.X509Certificate(row.certificate)
  return {
    certificate,
    privateKey,
    pem: pem(certificate),
    trustedPem: trusted.map((each) => pem(new x509.X509Certificate(each.certificate))).join(''),
    notAfter: row.not_after.getTime(),
  }
}

function pem(certificate: x509.X509Certificate): string {
  return `${certificate.toString('pem')}\n`
}

function place(id: string): string {
  return `careloop certificate authority ${id}`
}
