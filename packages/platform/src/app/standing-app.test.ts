/** What goes on without a person who allowed it to an app is held to what they allow now. */
import { afterAll, beforeAll, expect, test } from 'vitest'
import { parseScope, type SmartScope, scopeText, standingPrincipal } from '../identity/index.ts'
import { type SmartGround, smartGround } from './testing/smart-ground.ts'

let ground: SmartGround
beforeAll(async () => {
  ground = await smartGround()
})
afterAll(() => ground?.close())

test('what a person took back from an app is not given again by less that they allow it later', async () => {
  const { app } = await ground.register({})
  const { engine, tenant, nurse, call } = ground
  const asked = { client: app.id, name: app.name, scopes: [parseScope('user/*.rs') as SmartScope] }
  const scopesNow = async () => {
    const standing = await standingPrincipal(engine, { tenant, actor: `staff:${nurse.id}`, app: asked })
    return standing?.kind === 'staff' ? standing.app?.scopes.map(scopeText) : null
  }
  expect(await scopesNow()).toBe(null)
  expect((await ground.tokens(app, { scope: 'user/*.rs' })).status).toBe(200)
  expect(await scopesNow()).toEqual(['user/*.rs'])
  const mine = await call('GET', '/api/v1/my-apps', nurse.cookie)
  const [{ id }] = mine.json<{ items: [{ id: string }] }>().items
  expect((await call('DELETE', `/api/v1/my-apps/${id}`, nurse.cookie)).statusCode).toBe(204)
  expect((await ground.tokens(app, { scope: 'user/Practitioner.r' })).status).toBe(200)
  expect(await scopesNow()).toEqual(['user/Practitioner.r'])
})
