/** What every certificate of the authority has in common. */
import { createHash, type KeyObject, randomBytes } from 'node:crypto'
import type { CertificateAuthority } from './authority.ts'
import * as x509 from './x509.ts'

export const P256 = { name: 'ECDSA', namedCurve: 'P-256' } as const
export const SIGN = { name: 'ECDSA', hash: 'SHA-256' } as const

const DAY_MS = 86_400_000

export interface LeafWanted {
  readonly name: string
  readonly publicKey: KeyObject
  readonly alternativeNames: readonly x509.JsonGeneralName[]
  readonly usage: 'server' | 'client'
  readonly now: number
  readonly validDays: number
}

export interface Leaf {
  /** PEM */
  readonly pem: string
  /** SHA-256 over the DER */
  readonly fingerprint: Buffer
  readonly notAfter: number
}

/** Signs a certificate for a public key. It never outlives its signer. */
export async function signLeaf(ca: CertificateAuthority, wanted: LeafWanted): Promise<Leaf> {
  const spki = wanted.publicKey.export({ type: 'spki', format: 'der' })
  const publicKey = new x509.PublicKey(spki)
  const notAfter = Math.min(wanted.now + wanted.validDays * DAY_MS, ca.notAfter)
  const { serverAuth, clientAuth } = x509.ExtendedKeyUsage
  const certificate = await x509.X509CertificateGenerator.create({
    serialNumber: randomSerial(),
    subject: [{ CN: [wanted.name] }],
    issuer: ca.certificate.subjectName,
    // A day back: clocks of devices lag, and a certificate that is not valid yet locks them out at once.
    notBefore: new Date(wanted.now - DAY_MS),
    notAfter: new Date(notAfter),
    signingAlgorithm: SIGN,
    signingKey: ca.privateKey,
    publicKey,
    extensions: [
      new x509.BasicConstraintsExtension(false, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
      new x509.ExtendedKeyUsageExtension([wanted.usage === 'server' ? serverAuth : clientAuth], false),
      new x509.SubjectAlternativeNameExtension([...wanted.alternativeNames], false),
      await x509.SubjectKeyIdentifierExtension.create(publicKey),
      await x509.AuthorityKeyIdentifierExtension.create(ca.certificate.publicKey),
    ],
  })
  const der = Buffer.from(certificate.rawData)
  return {
    pem: `${certificate.toString('pem')}\n`,
    fingerprint: createHash('sha256').update(der).digest(),
    notAfter: certificate.notAfter.getTime(), // whole seconds, as the certificate says it
  }
}

/** 127 random bits, positive (RFC 5280, 4.1.2.2), in hex. */
export function randomSerial(): string {
  const bytes = randomBytes(16)
  bytes[0] = (bytes[0]! & 0x7f) | 0x40
  return bytes.toString('hex')
}
