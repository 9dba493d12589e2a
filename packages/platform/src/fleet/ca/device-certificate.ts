/** Certificates of devices: one device each, named by its id in CN and as `urn:careloop:device:<uuid>`. */
import { createHash, createPublicKey, generateKeyPairSync, type KeyObject, X509Certificate } from 'node:crypto'
import type { EpochMs } from '@careloop/contract'
import type { Engine } from '../../engine/index.ts'
import type { CertificateAuthority } from './authority.ts'
import { caFailure } from './errors.ts'
import { signLeaf } from './signing.ts'
import * as x509 from './x509.ts'

export interface DeviceCertificateWanted {
  readonly device: string
  /** PKCS #10 as PEM: the key stays on the device. Without it a P-256 key is made here. */
  readonly csr?: string | undefined
  /** Default 730. */
  readonly validDays?: number | undefined
}

export interface DeviceCertificate {
  /** PEM */
  readonly certificate: string
  /** PEM of the authorities the device should trust, the one that signed first */
  readonly authority: string
  /** PEM (PKCS #8), when made here; kept nowhere */
  readonly privateKey?: string
  /** SHA-256 over the certificate's DER */
  readonly fingerprint: Buffer
  readonly expiresAt: EpochMs
}

const URN = 'urn:careloop:device:'
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/
const MAX_CSR = 16_384

/**
 * Signs a certificate for a device. What the request asks for besides its key (names, extensions) is not taken over.
 * @throws Failure `csr-malformed`, `csr-unproven`, `csr-key-weak`, each with pointer `/csr`
 */
export async function issueDeviceCertificate(
  engine: Pick<Engine, 'clock'>,
  ca: CertificateAuthority,
  wanted: DeviceCertificateWanted,
): Promise<DeviceCertificate> {
  if (!UUID.test(wanted.device)) throw new TypeError('a device id is a uuid in lower case')
  const own = wanted.csr === undefined ? generateKeyPairSync('ec', { namedCurve: 'P-256' }) : undefined
  const leaf = await signLeaf(ca, {
    name: wanted.device,
    publicKey: own?.publicKey ?? (await keyOfRequest(wanted.csr!)),
    alternativeNames: [{ type: 'url', value: `${URN}${wanted.device}` }],
    usage: 'client',
    now: engine.clock.now(),
    validDays: wanted.validDays ?? 730,
  })
  return {
    certificate: leaf.pem,
    authority: ca.trustedPem,
    ...(own ? { privateKey: own.privateKey.export({ type: 'pkcs8', format: 'pem' }) as string } : {}),
    fingerprint: leaf.fingerprint,
    expiresAt: leaf.notAfter,
  }
}

async function keyOfRequest(pem: string): Promise<KeyObject> {
  const bad = (code: 'csr-malformed' | 'csr-unproven' | 'csr-key-weak', message: string, cause?: unknown) =>
    caFailure(code, message, { pointer: '/csr', cause })
  if (pem.length > MAX_CSR || !pem.includes('-----BEGIN CERTIFICATE REQUEST-----'))
    throw bad(
      'csr-malformed',
      `A certificate request is PEM ("BEGIN CERTIFICATE REQUEST") of at most ${MAX_CSR} bytes.`,
    )
  let proven: boolean
  let key: KeyObject
  try {
    const request = new x509.Pkcs10CertificateRequest(pem)
    key = createPublicKey({ key: Buffer.from(request.publicKey.rawData), format: 'der', type: 'spki' })
    if (!isStrong(key)) throw bad('csr-key-weak', 'The key must be EC P-256 or P-384, or RSA of 2048 to 4096 bits.')
    proven = await request.verify()
  } catch (cause) {
    if (cause instanceof Error && 'kind' in cause) throw cause
    throw bad('csr-malformed', 'The certificate request cannot be read. Make it with: openssl req -new', cause)
  }
  if (!proven) throw bad('csr-unproven', 'The request is not signed by the key it holds. Sign it with the private key.')
  return key
}

function isStrong(key: KeyObject): boolean {
  const { namedCurve, modulusLength = 0 } = key.asymmetricKeyDetails ?? {}
  if (key.asymmetricKeyType === 'ec') return namedCurve === 'prime256v1' || namedCurve === 'secp384r1'
  return key.asymmetricKeyType === 'rsa' && modulusLength >= 2_048 && modulusLength <= 4_096
}

/** Who shows a certificate. Whether it was revoked is not seen here: fleet knows fingerprints. */
export interface DeviceByCertificate {
  readonly device: string
  /** SHA-256 over the DER */
  readonly fingerprint: Buffer
  readonly expiresAt: EpochMs
}

/**
 * Checks a device's certificate as the TLS handshake does, and says whose it is.
 * @param shown DER or PEM
 * @throws Failure `certificate-malformed`, `certificate-foreign` (not signed by us, or not for a device), `certificate-expired`
 *   (or not valid yet)
 */
export function verifyDeviceCertificate(
  ca: Pick<CertificateAuthority, 'trustedPem'>,
  shown: Uint8Array | string,
  now: EpochMs,
): DeviceByCertificate {
  const leaf = parse(shown)
  const roots = ca.trustedPem.split(/(?<=-----END CERTIFICATE-----\n)/).map((pem) => new X509Certificate(pem))
  const device = leaf.subjectAltName?.match(/^URI:urn:careloop:device:([0-9a-f-]{36})$/)?.[1]
  const ours = roots.some((root) => leaf.checkIssued(root) && leaf.verify(root.publicKey))
  // `keyUsage` of Node is the extended key usage; 1.3.6.1.5.5.7.3.2 is client authentication.
  if (!ours || leaf.ca || device === undefined || !leaf.keyUsage?.includes('1.3.6.1.5.5.7.3.2'))
    throw caFailure(
      'certificate-foreign',
      'This certificate was not issued to a device here. Ask for one for this device.',
    )
  const [from, to] = [Date.parse(leaf.validFrom), Date.parse(leaf.validTo)]
  if (now < from || now > to)
    throw caFailure(
      'certificate-expired',
      'This certificate is not valid now. Renew it, or set the clock of the server.',
    )
  return { device, fingerprint: createHash('sha256').update(leaf.raw).digest(), expiresAt: to }
}

function parse(shown: Uint8Array | string): X509Certificate {
  try {
    return new X509Certificate(shown)
  } catch (cause) {
    throw caFailure('certificate-malformed', 'This is not an X.509 certificate (PEM or DER).', { cause })
  }
}
