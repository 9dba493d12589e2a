/** A link to the next page is good for whom it was made, and for nobody else. */
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type TestEngine, testEngine } from '../../engine/testing/index.ts'
import type { AppGrant, StaffPrincipal } from '../../identity/index.ts'
import type { By } from '../../subjects/index.ts'
import { openPage, sealPage } from './page-token.ts'

let ground: TestEngine
let tenant: string
beforeAll(async () => {
  ground = await testEngine()
  tenant = await ground.tenant()
})
afterAll(() => ground?.stop())

const reach = { teams: [], teamless: false, subjects: new Map() }
const staff = (id: string, session: string, client?: string): By => {
  const app: AppGrant = { client: client ?? '', name: 'Growth', scopes: [] }
  const who: StaffPrincipal = {
    ...{ kind: 'staff', tenant, id, displayName: 'N', roles: ['nurse'], session, reach },
    ...(client === undefined ? {} : { app }),
  }
  return { tenant, actor: `staff:${id}`, who }
}

test('search > a link to the next page opens for whom it was made alone: not for a colleague, nor for an app of theirs', async () => {
  const { engine } = ground
  const page = { type: 'Patient', pairs: [['name', 'Pagecanary']] as const, after: { time: '1', seq: '2' } }
  const unknown = { issue: { rule: 'search-page-unknown' } }
  const token = await sealPage(engine, staff('one', 'morning'), page)
  expect(Buffer.from(token, 'base64url').toString('latin1')).not.toContain('Pagecanary')
  expect(await openPage(engine, staff('one', 'evening'), token)).toEqual(page)
  for (const other of [
    staff('two', 'morning'),
    staff('one', 'morning', 'app-1'),
    { ...staff('one', 'morning'), tenant: await ground.tenant() },
  ])
    await expect(openPage(engine, other, token)).rejects.toMatchObject(unknown)
  const ofApp = await sealPage(engine, staff('one', 'morning', 'app-1'), page)
  expect(await openPage(engine, staff('one', 'later', 'app-1'), ofApp)).toEqual(page)
  await expect(openPage(engine, staff('one', 'morning', 'app-2'), ofApp)).rejects.toMatchObject(unknown)
  await expect(openPage(engine, staff('one', 'morning'), ofApp)).rejects.toMatchObject(unknown)
})
