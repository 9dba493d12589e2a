import { connect as connectTcp } from 'node:net'
import { type ConnectionOptions, connect, type TLSSocket } from 'node:tls'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Issued, type TestAuthority, testAuthority } from '../../engine/testing/test-certificates.ts'
import { openTestDoor, type TestDoor } from './testing/open-test-door.ts'
import { RawClient } from './testing/raw-client.ts'
import { aDevice, ScriptedHost } from './testing/scripted-host.ts'

let ground: TestDoor
let authority: TestAuthority
let device: Issued

beforeAll(async () => {
  authority = await testAuthority()
  const server = await authority.issue('careloop', 'server')
  device = await authority.issue('device-1', 'client')
  const host = new ScriptedHost()
  host.verdict = async ({ certificate }) =>
    certificate?.fingerprint256 === device.fingerprint256
      ? { device: aDevice(1), format: 'json' }
      : { refused: 'not-authorized' }
  const tls = { host: '127.0.0.1', port: 0, key: server.key, cert: server.cert, ca: authority.ca }
  ground = await openTestDoor({ host, tls, limits: { connectTimeoutMs: 1_000 } })
})
afterAll(() => ground.close())

/** @returns the socket after the handshake; rejects when the client itself sees it fail */
function dial(more: ConnectionOptions): Promise<TLSSocket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ port: ground.port, host: '127.0.0.1', ca: authority.ca, ...more })
    socket.once('secureConnect', () => resolve(socket)).once('error', reject)
  })
}

/** Whether the door speaks MQTT with a client that shows this; under TLS 1.3 a client learns of a refusal only after its handshake. */
async function isLetIn(more: ConnectionOptions): Promise<boolean> {
  const socket = await dial(more).catch(() => null)
  if (!socket) return false
  const client = new RawClient(socket, 5)
  client.connect(1)
  const packet = await client.next()
  await client.vanish()
  return packet?.cmd === 'connack' && packet.reasonCode === 0
}

describe('mqtt over TLS', () => {
  it('takes a device by its certificate and hands on who verified it', async () => {
    const client = new RawClient(await dial({ cert: device.cert, key: device.key }), 5)
    client.connect(1)
    expect(await client.next()).toMatchObject({ cmd: 'connack', reasonCode: 0 })
    client.publish(1)
    expect(await client.next()).toMatchObject({ cmd: 'puback', reasonCode: 0 })
    expect(ground.host.frames.at(-1)).toMatchObject({ door: 'mqtts', device: aDevice(1) })
    expect(ground.host.hellos.at(-1)).toMatchObject({
      door: 'mqtts',
      certificate: { fingerprint256: device.fingerprint256, subject: 'CN=device-1' },
    })
    await client.leave()
  })

  it.each([
    ['nothing', ''],
    ['half a hello', '160301020001000001fc0303'],
  ])('ends a connection that says %s and never finishes its handshake', async (_, hex) => {
    const socket = connectTcp({ port: ground.port, host: '127.0.0.1' })
    socket.write(Buffer.from(hex, 'hex'))
    await new Promise((closed) =>
      socket
        .once('close', closed)
        .on('error', () => {})
        .resume(),
    )
  })

  it('takes TLS 1.2 and 1.3, nothing older', async () => {
    const own = { cert: device.cert, key: device.key }
    expect(await isLetIn({ ...own, minVersion: 'TLSv1.3' })).toBe(true)
    expect(await isLetIn({ ...own, maxVersion: 'TLSv1.2' })).toBe(true)
    const old = { minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' } as const
    expect(await isLetIn({ ...own, ...old })).toBe(false)
  })

  it('refuses a client without a certificate, with one of another authority, or with one that has run out', async () => {
    const stranger = await (await testAuthority()).issue('device-1', 'client')
    const late = await authority.issue('device-1', 'client', new Date(Date.now() - 3_600_000))
    const hellos = ground.host.hellos.length
    expect(await isLetIn({})).toBe(false)
    expect(await isLetIn({ cert: stranger.cert, key: stranger.key })).toBe(false)
    expect(await isLetIn({ cert: late.cert, key: late.key })).toBe(false)
    expect(ground.host.hellos).toHaveLength(hellos)
    expect(await ground.metric('careloop_mqtt_connects_total', { outcome: 'refused-tls' })).toBeGreaterThanOrEqual(3)
  })

  it('refuses a certificate of ours that the house does not know', async () => {
    const unknown = await authority.issue('device-9', 'client')
    expect(await isLetIn({ cert: unknown.cert, key: unknown.key })).toBe(false)
  })

  it('shows a renewed certificate to those who connect after, and keeps the others', async () => {
    const own = { cert: device.cert, key: device.key }
    const before = new RawClient(await dial(own), 5)
    before.connect(1, { clientId: 'before' })
    await before.next()
    const next = await authority.issue('careloop', 'server')
    ground.door.renewCertificate({ key: next.key, cert: next.cert, ca: authority.ca })
    const socket = await dial(own)
    expect(socket.getPeerX509Certificate()?.fingerprint256).toBe(next.fingerprint256)
    socket.destroy()
    expect(await isLetIn({})).toBe(false)
    expect(await before.heardSoFar()).toEqual([])
    await before.leave()
  })

  it('drops a client that speaks no TLS', async () => {
    const client = await RawClient.dial(ground.port)
    client.connect(1)
    expect(await client.next()).toBeNull()
  })
})
