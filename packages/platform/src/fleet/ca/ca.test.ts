import { createHash, generateKeyPairSync, randomUUID, webcrypto, X509Certificate } from 'node:crypto'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import tls from 'node:tls'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { makeManualClock } from '../../engine/clock/manual-clock.ts'
import { type TestGround, testGround } from '../../engine/testing/test-ground.ts'
import {
  type CertificateAuthority,
  type DeviceCertificate,
  ensureCa,
  issueDeviceCertificate,
  issueServerCertificate,
  keepServerCertificate,
  type ServerCertificate,
  verifyDeviceCertificate,
} from './index.ts'
import { P256, SIGN } from './signing.ts'
import * as x509 from './x509.ts'

const DAY_MS = 86_400_000
let ground: TestGround
let foreignGround: TestGround
let ca: CertificateAuthority
let foreignCa: CertificateAuthority
let server: ServerCertificate
const device = randomUUID()

beforeAll(async () => {
  ;[ground, foreignGround] = await Promise.all([testGround(), testGround()])
  ca = await ensureCa(ground)
  foreignCa = await ensureCa(foreignGround)
  server = await issueServerCertificate(ground, ca, ['careloop.example.org', '192.0.2.7'])
})
afterAll(() => Promise.all([ground.stop(), foreignGround.stop()]))

/** A real handshake over loopback. Resolves with what the server saw, rejects with why either side refused. */
async function shake(shown: Partial<DeviceCertificate>, options: tls.ConnectionOptions = {}, context = server) {
  const door = tls.createServer({ ...context, requestCert: true, rejectUnauthorized: true, minVersion: 'TLSv1.2' })
  door.listen(0, '127.0.0.1')
  await once(door, 'listening')
  const seen = new Promise<{ der: Buffer; protocol: string | null }>((resolve, reject) => {
    door.once('secureConnection', (socket) => {
      socket.on('error', () => {})
      resolve({ der: socket.getPeerX509Certificate()!.raw, protocol: socket.getProtocol() })
    })
    door.once('tlsClientError', reject)
  })
  const { port } = door.address() as AddressInfo
  const { certificate: cert, privateKey: key, authority } = shown
  const client = tls.connect({ host: '127.0.0.1', port, ca: authority ?? ca.pem, cert, key, ...options })
  const refused = new Promise<never>((_, reject) => client.once('error', reject))
  try {
    return await Promise.race([seen, refused])
  } finally {
    client.on('error', () => {})
    client.destroy()
    door.close()
  }
}

/** An engine whose clock stands elsewhere. */
const at = (ms: number) => ({ clock: makeManualClock(ms) })

describe('certificate authority', () => {
  it('is made once, however many processes start at once, and opened by the next start', async () => {
    const fresh = await testGround()
    const made = await Promise.all(Array.from({ length: 4 }, () => ensureCa(fresh)))
    expect(new Set(made.map((each) => each.pem)).size).toBe(1)
    expect((await ensureCa(fresh)).pem).toBe(made[0]!.pem)
    const { rows } = await fresh.pool.query<{ sealed_key: Buffer }>(
      'select sealed_key from engine.certificate_authority',
    )
    expect(rows).toHaveLength(1)
    const opened = webcrypto.subtle.importKey('pkcs8', rows[0]!.sealed_key, P256, false, ['sign'])
    await expect(opened).rejects.toThrow()
    await fresh.stop()
  })

  it('makes a successor before it ends, and trusts both until it has', async () => {
    const clock = makeManualClock()
    const fresh = await testGround({ clock })
    const first = await ensureCa(fresh)
    await fresh.pool.query(`update engine.certificate_authority set not_after = $1`, [
      new Date(clock.now() + 365 * DAY_MS),
    ])
    const second = await ensureCa(fresh)
    expect(second.pem).not.toBe(first.pem)
    expect(second.trustedPem).toBe(second.pem + first.pem)
    const old = await issueDeviceCertificate(fresh, first, { device })
    expect(verifyDeviceCertificate(second, old.certificate, clock.now()).device).toBe(device)
    clock.step(clock.now() + 366 * DAY_MS)
    expect((await ensureCa(fresh)).trustedPem).toBe(second.pem)
    await fresh.stop()
  })

  it('signs nothing that outlives it', async () => {
    const late = at(ca.notAfter - 10 * DAY_MS)
    expect((await issueDeviceCertificate(late, ca, { device })).expiresAt).toBe(ca.notAfter)
  })
})

describe('mutual TLS', () => {
  it('lets a device in with its certificate, and says which device it is', async () => {
    const shown = await issueDeviceCertificate(ground, ca, { device })
    const { der } = await shake(shown)
    const who = verifyDeviceCertificate(ca, der, ground.clock.now())
    expect(who.device).toBe(device)
    expect(who.fingerprint).toEqual(shown.fingerprint)
    expect(who.fingerprint).toEqual(createHash('sha256').update(der).digest())
    expect(who.expiresAt).toBe(shown.expiresAt)
  })

  it.each(['TLSv1.2', 'TLSv1.3'] as const)('speaks %s', async (version) => {
    const shown = await issueDeviceCertificate(ground, ca, { device })
    expect((await shake(shown, { minVersion: version, maxVersion: version })).protocol).toBe(version)
  })

  it('proves the server under each of its names, and under no other', async () => {
    const shown = await issueDeviceCertificate(ground, ca, { device })
    for (const servername of ['careloop.example.org', 'localhost']) await shake(shown, { servername })
    const leaf = new X509Certificate(server.cert)
    for (const ip of ['127.0.0.1', '::1', '192.0.2.7']) expect(leaf.checkIP(ip)).toBeDefined()
    const wrong = shake(shown, { servername: 'elsewhere.example.org' })
    await expect(wrong).rejects.toMatchObject({ code: 'ERR_TLS_CERT_ALTNAME_INVALID' })
  })

  it('refuses who shows no certificate, a foreign one, or one of a foreign device authority of the same name', async () => {
    await expect(shake({})).rejects.toMatchObject({ code: expect.stringMatching(/PEER_DID_NOT_RETURN_A_CERTIFICATE/) })
    const foreign = await issueDeviceCertificate(foreignGround, foreignCa, { device })
    await expect(shake({ ...foreign, authority: ca.pem })).rejects.toThrow()
    const check = () => verifyDeviceCertificate(ca, foreign.certificate, ground.clock.now())
    expect(check).toThrow(expect.objectContaining({ code: 'certificate-foreign' }))
  })

  it('refuses an expired certificate, and one that is not valid yet', async () => {
    const now = ground.clock.now()
    const expired = await issueDeviceCertificate(at(now - 31 * DAY_MS), ca, { device, validDays: 30 })
    const early = await issueDeviceCertificate(at(now + 10 * DAY_MS), ca, { device })
    for (const [shown, why] of [
      [expired, 'CERT_HAS_EXPIRED'],
      [early, 'CERT_NOT_YET_VALID'],
    ] as const) {
      await expect(shake(shown), why).rejects.toThrow()
      const check = () => verifyDeviceCertificate(ca, shown.certificate, now)
      expect(check).toThrow(expect.objectContaining({ code: 'certificate-expired' }))
    }
  })

  it('lets a device whose server is a foreign one refuse it', async () => {
    const shown = await issueDeviceCertificate(ground, ca, { device })
    const impostor = { ...(await issueServerCertificate(foreignGround, foreignCa, [])), ca: ca.pem }
    await expect(shake(shown, {}, impostor)).rejects.toThrow()
  })

  it('refuses the certificate of the server as that of a device', async () => {
    await expect(shake({ certificate: server.cert, privateKey: server.key })).rejects.toThrow()
    const check = () => verifyDeviceCertificate(ca, server.cert, ground.clock.now())
    expect(check).toThrow(expect.objectContaining({ code: 'certificate-foreign' }))
  })
})

describe('certificate requests', () => {
  const requestFor = async (keys: webcrypto.CryptoKeyPair, signingAlgorithm: object = SIGN) =>
    (await x509.Pkcs10CertificateRequestGenerator.create({ name: 'CN=root', keys, signingAlgorithm })).toString('pem')
  const ecKeys = () => webcrypto.subtle.generateKey(P256, true, ['sign', 'verify'])

  it('signs the key of the request, under the name of the device and not that of the request', async () => {
    const keys = await ecKeys()
    const shown = await issueDeviceCertificate(ground, ca, { device, csr: await requestFor(keys) })
    expect(shown.privateKey).toBeUndefined()
    expect(new X509Certificate(shown.certificate).subject).toBe(`CN=${device}`)
    const pkcs8 = Buffer.from(await webcrypto.subtle.exportKey('pkcs8', keys.privateKey)).toString('base64')
    const privateKey = `-----BEGIN PRIVATE KEY-----\n${pkcs8}\n-----END PRIVATE KEY-----\n`
    const { der } = await shake({ ...shown, privateKey })
    expect(verifyDeviceCertificate(ca, der, ground.clock.now()).device).toBe(device)
  })

  it('takes RSA of 2048 bits, and refuses weak keys', async () => {
    const rsa = (modulusLength: number) => {
      const algorithm = {
        name: 'RSASSA-PKCS1-v1_5',
        hash: 'SHA-256',
        modulusLength,
        publicExponent: Uint8Array.of(1, 0, 1),
      }
      return webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify'])
    }
    const signing = { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256' }
    const good = await requestFor(await rsa(2_048), signing)
    expect((await issueDeviceCertificate(ground, ca, { device, csr: good })).fingerprint).toHaveLength(32)
    const weak = await requestFor(await rsa(1_024), signing)
    const issued = issueDeviceCertificate(ground, ca, { device, csr: weak })
    await expect(issued).rejects.toMatchObject({ code: 'csr-key-weak', pointer: '/csr' })
  })

  it('refuses a request that its key did not sign', async () => {
    const der = Buffer.from((await requestFor(await ecKeys())).replace(/-----[^-]+-----|\n/g, ''), 'base64')
    const other = generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey.export({ type: 'spki', format: 'der' })
    other.copy(der, der.indexOf(other.subarray(0, 26)))
    const csr = `-----BEGIN CERTIFICATE REQUEST-----\n${der.toString('base64')}\n-----END CERTIFICATE REQUEST-----\n`
    const issued = issueDeviceCertificate(ground, ca, { device, csr })
    await expect(issued).rejects.toMatchObject({ code: 'csr-unproven', pointer: '/csr' })
  })

  it.each([
    ['nothing', ''],
    ['another kind of PEM', '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----'],
    ['rubbish', '-----BEGIN CERTIFICATE REQUEST-----\nAAAA\n-----END CERTIFICATE REQUEST-----'],
    ['too much', `-----BEGIN CERTIFICATE REQUEST-----\n${'A'.repeat(20_000)}`],
  ])('refuses %s', async (_, csr) => {
    const issued = issueDeviceCertificate(ground, ca, { device, csr })
    await expect(issued).rejects.toMatchObject({ code: 'csr-malformed', pointer: '/csr' })
  })

  it('refuses as a certificate what is none, and names that are none', async () => {
    const check = () => verifyDeviceCertificate(ca, Buffer.from('rubbish'), 0)
    expect(check).toThrow(expect.objectContaining({ code: 'certificate-malformed' }))
    const issued = issueServerCertificate(ground, ca, ['not a name'])
    await expect(issued).rejects.toMatchObject({ code: 'server-name-malformed', pointer: '/names' })
  })
})

it('server certificate > is renewed when two thirds of its life are over, and not before', async () => {
  const clock = makeManualClock(ground.clock.now())
  const renewals: ServerCertificate[] = []
  let told = () => {}
  const renewed = new Promise<void>((resolve) => {
    told = resolve
  })
  const kept = await keepServerCertificate({ clock, watch: ground.watch }, ca, [], (next) => {
    renewals.push(next)
    told()
  })
  clock.step(kept.first.renewAt - 7_200_000)
  await clock.advance(3_600_000)
  expect(renewals).toEqual([])
  await clock.advance(3_600_000)
  await renewed
  expect(renewals[0]!.notAfter).toBeGreaterThan(kept.first.notAfter)
  await clock.advance(3_600_000)
  kept.stop()
  expect(renewals).toHaveLength(1)
})
