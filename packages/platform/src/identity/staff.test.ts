import { afterAll, beforeAll, expect, test } from 'vitest'
import { type TestEngine, testEngine } from '../engine/testing/index.ts'
import { type Identity, makeIdentity } from './identity.ts'
import { verifyPassword } from './password.ts'

let ground: TestEngine
let identity: Identity
let tenant: string
let other: string
beforeAll(async () => {
  ground = await testEngine()
  identity = await makeIdentity(ground.engine, { secureCookies: false, signInsPerMinute: 10, idleLockMs: 900_000 })
  tenant = await ground.tenant()
  other = await ground.tenant()
})
afterAll(() => ground?.stop())

const person = (email: string, in_ = tenant) => ({ tenant: in_, email, displayName: 'Ana', roles: ['nurse'] }) as const
async function opens(user: string, password: string): Promise<boolean> {
  const { rows } = await ground.engine.db.pool.query<{ password: string }>(
    'select password from auth.account where user_id = $1',
    [user],
  )
  return verifyPassword(rows[0]!.password, password)
}

test('staff > who left comes back under the same id, with the roles and the password of now', async () => {
  const first = await identity.createUser(person('ana@clinic.example'))
  await expect(identity.createUser(person('ana@clinic.example'))).rejects.toMatchObject({ code: 'user-exists' })
  await identity.endMembership(tenant, first.id)
  const again = await identity.createUser({ ...person('Ana@clinic.example'), roles: ['physician'] })
  expect(again.id).toBe(first.id)
  expect((await identity.members(tenant)).find(({ id }) => id === first.id)).toMatchObject({
    ...{ roles: ['physician'], endedAt: null },
  })
  expect(await opens(first.id, again.password!)).toBe(true)
  expect(await opens(first.id, first.password!)).toBe(false)
})

test('staff > an organisation cannot take the account of who works in another', async () => {
  const made = await identity.createUser(person('bo@clinic.example'))
  await expect(identity.createUser(person('bo@clinic.example', other))).rejects.toMatchObject({ code: 'user-exists' })
  expect(await opens(made.id, made.password!)).toBe(true)
})

test('staff > a new password replaces the old one and ends every session', async () => {
  const made = await identity.createUser(person('cy@clinic.example'))
  await ground.engine.db.pool.query(
    `insert into auth.session (id, token, user_id, expires_at) values ($1, 't', $2, now() + interval '1 day')`,
    [ground.engine.ids.uuid(), made.id],
  )
  const { id, password } = await identity.renewPassword(tenant, 'CY@clinic.example')
  expect(id).toBe(made.id)
  expect(await opens(id, password)).toBe(true)
  expect(await opens(id, made.password!)).toBe(false)
  const { rows } = await ground.engine.db.pool.query('select from auth.session where user_id = $1', [id])
  expect(rows).toEqual([])
  await expect(identity.renewPassword(other, 'cy@clinic.example')).rejects.toMatchObject({ code: 'user-not-found' })
  expect((await identity.tenants()).map((each) => each.id)).toEqual([tenant, other])
})
