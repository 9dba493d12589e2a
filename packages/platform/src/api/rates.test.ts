import { describe, expect, test } from 'vitest'
import { makeManualClock } from '../engine/clock/manual-clock.ts'
import { makePrincipalRate } from './principal-rate.ts'
import { badTokensPerMinute, longestLine, makeStrangerRate, type StrangerRate } from './stranger-rate.ts'
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
  const bad = new Error('bad')
  const isBad = (error: unknown) => error === bad
  const flood = async (rate: StrangerRate, ip: string) => {
    for (let i = 0; i < badTokensPerMinute; i++)
      await expect(rate.pass(ip, `bad ${i}`, () => Promise.reject(bad))).rejects.toBe(bad)
  }

  test('the same bad token is looked up once in a while, however often it comes', async () => {
    const clock = makeManualClock(0)
    const rate = makeStrangerRate(clock, isBad)
    let looked = 0
    const check = () => {
      looked += 1
      return Promise.reject(bad)
    }
    for (let i = 0; i < 1_000; i++) await expect(rate.pass('a', 'revoked', check)).rejects.toBe(bad)
    expect(looked).toBe(1)
    await clock.advance(10_000)
    await expect(rate.pass('a', 'revoked', check)).rejects.toBe(bad)
    expect(looked).toBe(2)
  })

  test('very many different ones make its unknown tokens wait in line, good ones among them; nobody is refused for a neighbour', async () => {
    const rate = makeStrangerRate(makeManualClock(0), isBad)
    await expect(rate.pass('ward', 'known', async () => 'in')).resolves.toBe('in')
    await flood(rate, 'ward')
    let inside = 0
    let most = 0
    const slow = async (answer: string) => {
      inside += 1
      most = Math.max(most, inside)
      await new Promise((resolve) => setImmediate(resolve))
      inside -= 1
      return answer
    }
    const news = Array.from({ length: 20 }, (_, i) => rate.pass('ward', `new ${i}`, () => slow('in')))
    expect(await Promise.all(news)).toEqual(Array.from({ length: 20 }, () => 'in'))
    expect(most).toBe(1)
    await Promise.all([1, 2, 3].map(() => rate.pass('ward', 'known', () => slow('in'))))
    await Promise.all([1, 2, 3].map((i) => rate.pass('elsewhere', `new ${i}`, () => slow('in'))))
    expect(most).toBe(3)
  })

  test('a line that is too long is refused, with a time to wait; one who fails holds up nobody behind', async () => {
    const rate = makeStrangerRate(makeManualClock(0), isBad)
    await flood(rate, 'ward')
    const waiting = Array.from({ length: longestLine }, (_, i) =>
      rate.pass('ward', `more ${i}`, () => (i === 0 ? Promise.reject(bad) : Promise.resolve(i))),
    )
    expect(() => rate.pass('ward', 'one too many', async () => 0)).toThrow(tooMany)
    const settled = await Promise.allSettled(waiting)
    expect(settled.filter(({ status }) => status === 'rejected')).toHaveLength(1)
  })

  test('somebody who has just signed in behind it is served, and so is a program that was never seen there', async () => {
    const shell: TestShell = await testShell({ routes: () => things })
    try {
      const remoteAddress = '203.0.113.9'
      const ask = async (authorization: string) => {
        const headers = { authorization, 'content-type': 'application/json' }
        const url = '/api/v1/things/01890a5d-ac96-774b-bcce-b302099a8057'
        return (await shell.server.inject({ method: 'POST', url, payload: '{"label":"a"}', headers, remoteAddress }))
          .statusCode
      }
      for (let i = 0; i <= badTokensPerMinute; i++)
        expect(await ask(`Bearer cls_${String(i).padStart(12, 'x')}`)).toBe(401)
      const nurse = await shell.signIn(['nurse'])
      const me = await shell.server.inject({ url: '/api/v1/me', headers: { cookie: nurse.cookie }, remoteAddress })
      expect(me.statusCode).toBe(200)
      expect(await ask(await shell.token(['device:update']))).toBe(200)
    } finally {
      await shell.close()
    }
  })
})
