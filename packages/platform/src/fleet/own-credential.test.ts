/** How devices come to their credentials by themselves, and how nobody else does. */
import { createSign, generateKeyPairSync, type KeyObject } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type ManualClock, makeManualClock } from '../engine/clock/manual-clock.ts'
import { type TestEngine, testEngine } from '../engine/testing/index.ts'
import { testAuthority } from '../engine/testing/test-certificates.ts'
import { byTest } from '../subjects/fixtures.ts'
import type { By } from '../subjects/index.ts'
import { ensureCa, issueDeviceCertificate, verifyDeviceCertificate } from './ca/index.ts'
import * as x509 from './ca/x509.ts'
import { sha256 } from './credentials.ts'
import { enrolled, testFleet } from './fixtures.ts'
import type { Fleet } from './fleet.ts'
import { renewalText } from './own-credential.ts'

const DAY = 86_400_000
let ground: TestEngine
let clock: ManualClock
let fleet: Fleet
let by: By
beforeAll(async () => {
  clock = makeManualClock(Date.now())
  ground = await testEngine({ clock })
  const ca = await ensureCa(ground.engine)
  fleet = testFleet(ground.engine, {
    issueCertificate: (wanted) => issueDeviceCertificate(ground.engine, ca, wanted),
    verifyCertificate: (shown, now) => verifyDeviceCertificate(ca, shown, now),
  })
  by = byTest(await ground.tenant())
})
afterAll(() => ground?.stop())

const refused = (code: string) => expect.objectContaining({ code })

interface Own {
  readonly csr: string
  readonly key: KeyObject
}

/** What firmware makes: a key pair of its own and a request for it. */
async function request(): Promise<Own> {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' }
  const take = (key: KeyObject, type: 'pkcs8' | 'spki', use: 'sign' | 'verify') =>
    crypto.subtle.importKey(type, key.export({ type, format: 'der' }) as Buffer<ArrayBuffer>, algorithm, true, [use])
  const keys = {
    privateKey: await take(privateKey, 'pkcs8', 'sign'),
    publicKey: await take(publicKey, 'spki', 'verify'),
  }
  const made = await x509.Pkcs10CertificateRequestGenerator.create({
    name: 'CN=cuff',
    keys,
    signingAlgorithm: algorithm,
  })
  return { csr: made.toString('pem'), key: privateKey }
}

async function claimed() {
  const { device, token } = await enrolled(fleet, by)
  const { code } = await fleet.makeClaimCode(by, device, { hours: 24 })
  const own = await request()
  const answer = await fleet.claim({ code, csr: own.csr })
  return { device, token, code, own, answer, certificate: answer.certificate! }
}

const signedBy = (key: KeyObject, at: number, csr: string) =>
  createSign('sha256').update(renewalText(at, csr)).sign(key).toString('base64')

async function renew(held: { certificate: string; own: Own }, changes: Partial<Parameters<Fleet['renew']>[0]> = {}) {
  const next = await request()
  const [at, csr] = [changes.at ?? clock.now(), changes.csr ?? next.csr]
  const signature = signedBy(held.own.key, at, csr)
  const answer = await fleet.renew({ certificate: held.certificate, csr, at, signature, ...changes })
  return { certificate: answer.certificate, own: next, answer }
}

const oddities = async (device: string) => {
  const { rows } = await ground.engine.db.pool.query<{ reason: string }>(
    `select body ->> 'reason' as reason from engine.fact where type = 'DeviceSuspicious' and body ->> 'device' = $1`,
    [device],
  )
  return rows.map(({ reason }) => reason)
}

const isIn = async (certificate: string) =>
  (await fleet.attribution.identityByCertificate(
    verifyDeviceCertificate(await ensureCa(ground.engine), certificate, clock.now()).fingerprint,
  )) !== null

describe('fleet > a claim code', () => {
  test('gives a certificate for the key that stays on the device, and ends every credential from before', async () => {
    const { device, token, answer, certificate } = await claimed()
    expect(answer).toMatchObject({
      device,
      profile: 'generic',
      authority: expect.stringContaining('BEGIN CERTIFICATE'),
    })
    expect(answer.token).toBeUndefined()
    expect(await isIn(certificate)).toBe(true)
    await fleet.attribution.refresh()
    expect(await fleet.attribution.identityByTokenHash(sha256(token))).toBeNull()
  })

  test('gives a token to a device that has no key, typed in small letters with and without the hyphen', async () => {
    const { device } = await enrolled(fleet, by)
    const { code } = await fleet.makeClaimCode(by, device, { hours: 1 })
    const { token } = await fleet.claim({ code: ` ${code.replace('-', '').toLowerCase()} ` })
    expect(await fleet.attribution.identityByTokenHash(sha256(token!))).toMatchObject({ device })
  })

  test('is good once, of two that come at the same moment too; a second use is told as odd', async () => {
    const { device } = await enrolled(fleet, by)
    const { code } = await fleet.makeClaimCode(by, device, { hours: 1 })
    const outcomes = await Promise.allSettled([fleet.claim({ code }), fleet.claim({ code })])
    expect(outcomes.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected'])
    expect(outcomes.find(({ status }) => status === 'rejected')).toMatchObject({ reason: refused('claim-refused') })
    await expect(fleet.claim({ code })).rejects.toEqual(refused('claim-refused'))
    expect(await oddities(device)).toEqual(['claim-code-reused'])
  })

  test('is refused alike when unknown, void, replaced or too old', async () => {
    const { device } = await enrolled(fleet, by)
    const made = await fleet.makeClaimCode(by, device, { hours: 1 })
    const next = await fleet.makeClaimCode(by, device, { hours: 1 })
    await expect(fleet.claim({ code: made.code })).rejects.toEqual(refused('claim-refused'))
    await fleet.voidClaimCode(by, device, next.id)
    await expect(fleet.claim({ code: next.code })).rejects.toEqual(refused('claim-refused'))
    const old = await fleet.makeClaimCode(by, device, { hours: 1 })
    await clock.advance(3_600_000)
    await expect(fleet.claim({ code: old.code })).rejects.toEqual(refused('claim-refused'))
    await expect(fleet.claim({ code: '00000-00000' })).rejects.toEqual(refused('claim-refused'))
    const [first, second, third] = await fleet.claimCodes(by.tenant, device)
    expect([first!.usedAt, first!.revokedAt, third!.revokedAt !== null, second!.revokedAt !== null]).toEqual([
      null,
      null,
      true,
      true,
    ])
  })

  test('is not used up by a request that cannot be read, and stands nowhere as itself', async () => {
    const { device } = await enrolled(fleet, by)
    const { code } = await fleet.makeClaimCode(by, device, { hours: 1 })
    await expect(fleet.claim({ code, csr: 'no request' })).rejects.toMatchObject({
      code: 'csr-malformed',
      pointer: '/body/csr',
    })
    const { rows } = await ground.engine.db.pool.query<{ line: string }>(
      'select c::text as line from engine.claim_code c',
    )
    const bare = code.replace('-', '')
    expect(rows.some(({ line }) => line.includes(bare) || line.includes(Buffer.from(bare).toString('hex')))).toBe(false)
    await expect(fleet.claim({ code })).resolves.toMatchObject({ device })
  })

  test('cannot be made for a device of another organisation', async () => {
    const { device } = await enrolled(fleet, by)
    const theirs = byTest(await ground.tenant())
    await expect(fleet.makeClaimCode(theirs, device, { hours: 1 })).rejects.toEqual(refused('device-not-found'))
    await expect(fleet.claimCodes(theirs.tenant, device)).rejects.toEqual(refused('device-not-found'))
  })
})

describe('fleet > renewal', () => {
  test('is given from two thirds of its life on to who has the key; the old one is good for a day more', async () => {
    const first = await claimed()
    const { renewFrom, expiresAt } = first.answer
    expect((renewFrom! - clock.now()) / (expiresAt! - clock.now())).toBeCloseTo(2 / 3, 2)
    await expect(renew(first)).rejects.toMatchObject({ code: 'renewal-too-early' })
    await clock.advance(renewFrom! - clock.now())
    const second = await renew(first)
    expect(await isIn(second.certificate)).toBe(true)
    await fleet.attribution.refresh()
    expect(await isIn(first.certificate)).toBe(true)
    await clock.advance(DAY)
    expect(await isIn(first.certificate)).toBe(false)
    expect(await isIn(second.certificate)).toBe(true)
  })

  test('is refused to who has the certificate and not its key, or the word of another time', async () => {
    const first = await claimed()
    await clock.advance(600 * DAY)
    const thief = { ...first, own: await request() }
    await expect(renew(thief)).rejects.toEqual(refused('renewal-refused'))
    await expect(renew(first, { at: clock.now() - 11 * 60_000 })).rejects.toEqual(refused('renewal-refused'))
    const csr = (await request()).csr
    const signature = signedBy(first.own.key, clock.now(), csr)
    await expect(renew(first, { csr: (await request()).csr, signature })).rejects.toEqual(refused('renewal-refused'))
  })

  test('takes no key that had a certificate before: a word that was overheard is worth nothing', async () => {
    const first = await claimed()
    await clock.advance(600 * DAY)
    await expect(renew(first, { csr: first.own.csr })).rejects.toEqual(refused('csr-key-used'))
    const next = await request()
    await renew(first, { csr: next.csr })
    await expect(renew(first, { csr: next.csr })).rejects.toEqual(refused('csr-key-used'))
  })

  test('asked for again, since the answer was lost, gives another one and ends the one that was lost', async () => {
    const first = await claimed()
    await clock.advance(600 * DAY)
    const [lost, second] = [await renew(first), await renew(first)]
    await fleet.attribution.refresh()
    expect([await isIn(lost.certificate), await isIn(second.certificate)]).toEqual([false, true])
  })

  test('that was under way while an operator revoked leaves nothing behind, whichever came first', async () => {
    const first = await claimed()
    await clock.advance(600 * DAY)
    const [renewed, revoked] = await Promise.allSettled([
      renew(first),
      fleet.revokeCredential(by, first.device, first.answer.credential),
    ])
    expect(revoked.status).toBe('fulfilled')
    await fleet.attribution.refresh()
    if (renewed.status === 'fulfilled') expect(await isIn(renewed.value.certificate)).toBe(false)
    const left = (await fleet.credentials(by.tenant, first.device)).filter(({ revokedAt }) => revokedAt === null)
    expect(left).toEqual([])
  })

  test('is refused once the certificate was revoked, and that is told as odd, once a day', async () => {
    const first = await claimed()
    await clock.advance(600 * DAY)
    await fleet.revokeCredential(by, first.device, first.answer.credential)
    for (let i = 0; i < 3; i++) await expect(renew(first)).rejects.toEqual(refused('renewal-refused'))
    expect(await oddities(first.device)).toEqual(['ended-credential'])
    await clock.advance(DAY)
    await expect(renew(first)).rejects.toEqual(refused('renewal-refused'))
    expect(await oddities(first.device)).toHaveLength(2)
  })

  test('is refused for a certificate of another authority, and for one that ran out', async () => {
    const first = await claimed()
    await clock.advance(731 * DAY)
    await expect(renew(first)).rejects.toEqual(refused('certificate-expired'))
    const { cert } = await (await testAuthority()).issue(first.device, 'client')
    await expect(renew({ ...first, certificate: cert })).rejects.toEqual(refused('certificate-foreign'))
  })

  test('a device that was reset gets in by an operator only: the reset one’s old key is out when it does', async () => {
    const first = await claimed()
    const { code } = await fleet.makeClaimCode(by, first.device, { hours: 24 })
    const again = await fleet.claim({ code, csr: (await request()).csr })
    await fleet.attribution.refresh()
    expect(await isIn(first.certificate)).toBe(false)
    expect(await isIn(again.certificate!)).toBe(true)
    await expect(fleet.claim({ code: first.code })).rejects.toEqual(refused('claim-refused'))
  })
})
