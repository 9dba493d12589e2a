/** The server's own certificate, for its TLS doors: issued at each start and before it runs out, kept in memory only. */
import { generateKeyPairSync } from 'node:crypto'
import { isIP } from 'node:net'
import type { EpochMs } from '@careloop/contract'
import type { Engine } from '../../engine/index.ts'
import type { CertificateAuthority } from './authority.ts'
import { caFailure } from './errors.ts'
import { signLeaf } from './signing.ts'
import type * as x509 from './x509.ts'

/** `key`, `cert` and `ca` as `tls.createServer` and `setSecureContext` take them (PEM). */
export interface ServerCertificate {
  readonly key: string
  readonly cert: string
  /** The authorities whose device certificates are taken. */
  readonly ca: string
  readonly notAfter: EpochMs
  /** When two thirds of its life are over. */
  readonly renewAt: EpochMs
}

const VALID_DAYS = 397
const DAY_MS = 86_400_000
const CHECK_EVERY_MS = 3_600_000

/**
 * @param names host names and addresses by which devices reach the server; `localhost` and the loopback are always added
 * @throws Failure `server-name-malformed`
 */
export async function issueServerCertificate(
  engine: Pick<Engine, 'clock'>,
  ca: CertificateAuthority,
  names: readonly string[],
): Promise<ServerCertificate> {
  const all = [...new Set([...names.map(normalise), 'localhost', '127.0.0.1', '::1'])]
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const now = engine.clock.now()
  const leaf = await signLeaf(ca, {
    name: 'Careloop server',
    publicKey,
    alternativeNames: all.map(alternativeName),
    usage: 'server',
    now,
    validDays: VALID_DAYS,
  })
  return {
    key: privateKey.export({ type: 'pkcs8', format: 'pem' }) as string,
    cert: leaf.pem,
    ca: ca.trustedPem,
    notAfter: leaf.notAfter,
    renewAt: now + (leaf.notAfter - now) * (2 / 3),
  }
}

export interface KeptServerCertificate {
  readonly first: ServerCertificate
  stop(): void
}

/**
 * Issues a certificate and renews it while the server runs.
 * @param renewed gives it to the doors: `server.setSecureContext(certificate)`; open connections keep the old one
 */
export async function keepServerCertificate(
  engine: Pick<Engine, 'clock' | 'watch'>,
  ca: CertificateAuthority,
  names: readonly string[],
  renewed: (certificate: ServerCertificate) => void,
): Promise<KeptServerCertificate> {
  const first = await issueServerCertificate(engine, ca, names)
  let current = first
  const stop = engine.clock.every(CHECK_EVERY_MS, () => {
    if (engine.clock.now() < current.renewAt) return
    issueServerCertificate(engine, ca, names).then(
      (next) => {
        current = next
        renewed(next)
      },
      (error: unknown) => {
        const daysLeft = Math.floor((current.notAfter - engine.clock.now()) / DAY_MS)
        engine.watch.log.error({ err: error, daysLeft }, 'the server certificate could not be renewed; trying again')
      },
    )
  })
  return { first, stop }
}

const DNS_NAME = /^(?=.{1,253}$)([a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?)(\.[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?)*$/

function normalise(name: string): string {
  const plain = name.trim().toLowerCase().replace(/\.$/, '')
  if (isIP(plain) === 0 && !DNS_NAME.test(plain))
    throw caFailure('server-name-malformed', `"${name}" is neither a host name nor an IP address.`, {
      pointer: '/names',
    })
  return plain
}

function alternativeName(name: string): x509.JsonGeneralName {
  return { type: isIP(name) === 0 ? 'dns' : 'ip', value: name }
}
