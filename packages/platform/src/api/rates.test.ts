import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { makeManualClock } from '../engine/clock/manual-clock.ts'
import { makePrincipalRate } from './principal-rate.ts'
import { refusalsPerMinute } from './stranger-rate.ts'
import { type TestShell, testShell } from './testing/test-shell.ts'
import { things } from './testing/things.ts'

const tooMany = expect.objectContaining({ code: 'too-many-requests' })

describe('api > how much one asker may ask', () => {
  test('a person who asks without end is held up, and asks again after a while; others notice nothing', async () => {
    const clock = makeManualClock(0)
    const ask = makePrincipalRate(clock, { servicePerSecond: 100 })
    const [ana, ben] = [{ kind: 'staff', id: 'ana' } as const, { kind: 'staff', id: 'ben' } as const]
    for (let i = 0; i < 1_000; i++) ask(ana)
    expect(() => ask(ana)).toThrow(tooMany)
    expect(() => ask(ben)).not.toThrow()
    await clock.advance(1_000)
    for (let i = 0; i < 20; i++) ask(ana)
    expect(() => ask(ana)).toThrow(tooMany)
  })

  test('a service has its own budget, which the operator sets', () => {
    const ask = makePrincipalRate(makeManualClock(0), { servicePerSecond: 100 })
    for (let i = 0; i < 500; i++) ask({ kind: 'service', id: 'ehr' })
    expect(() => ask({ kind: 'service', id: 'ehr' })).toThrow(tooMany)
  })

  test('what is remembered of askers is bounded', () => {
    const ask = makePrincipalRate(makeManualClock(0), { servicePerSecond: 1 })
    for (let i = 0; i < 30_000; i++) ask({ kind: 'staff', id: String(i) })
    expect(() => ask({ kind: 'staff', id: '0' })).not.toThrow()
  })
})

describe('api > an address that shows bad tokens', () => {
  let shell: TestShell
  let good: string
  beforeAll(async () => {
    shell = await testShell({ routes: () => things })
    good = await shell.token(['device:update'])
  })
  afterAll(() => shell.close())

  const ask = async (authorization: string | undefined, remoteAddress = '203.0.113.9') => {
    const headers = { 'content-type': 'application/json', ...(authorization === undefined ? {} : { authorization }) }
    const url = '/api/v1/things/01890a5d-ac96-774b-bcce-b302099a8057'
    const payload = '{"label":"pump"}'
    return (await shell.server.inject({ method: 'POST', url, payload, headers, remoteAddress })).statusCode
  }

  test('waits after many of them, while those who were known there, and other addresses, are served', async () => {
    expect(await ask(good)).toBe(200)
    const later = await shell.token(['device:update'])
    for (let i = 0; i < refusalsPerMinute; i++) expect(await ask(`Bearer cls_${String(i).padStart(12, 'x')}`)).toBe(401)
    expect(await ask('Bearer cls_another-bad-one')).toBe(429)
    expect(await ask(undefined)).toBe(429)
    expect(await ask(good)).toBe(200)
    expect(await ask(later, '203.0.113.10')).toBe(200)
    const signIn = { method: 'POST', url: '/api/auth/sign-in/email', remoteAddress: '203.0.113.9' } as const
    const payload = { email: 'nobody@ward.example', password: 'a wrong one, and long' }
    expect((await shell.server.inject({ ...signIn, payload })).statusCode).toBe(401)
    await shell.clock.advance(60_000)
    expect(await ask('Bearer cls_another-bad-one')).toBe(401)
  })
})
