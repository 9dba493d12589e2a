import type { Invitation, InvitationMade, Me } from '@careloop/contract'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { cookieOf, type Signed, type TestShell, testShell } from '../api/testing/test-shell.ts'
import { invitationMs } from './invitations.ts'

let shell: TestShell
let admin: Signed
beforeAll(async () => {
  shell = await testShell({ mailsInvitations: true })
})
beforeEach(async () => {
  admin = await shell.signIn(['administrator'])
})
afterAll(() => shell.close())

const ask = (method: 'GET' | 'POST' | 'DELETE', url: string, payload?: object, cookie = '') =>
  shell.server.inject({
    ...{ method, url, headers: { 'sec-fetch-site': 'same-origin', ...(cookie === '' ? {} : { cookie }) } },
    ...(payload === undefined ? {} : { payload }),
  })

let people = 0
function anAddress(): string {
  people += 1
  return `invited${people}@ward.example`
}

async function invite(
  email: string,
  roles: readonly string[] = ['nurse'],
): Promise<InvitationMade & { token: string }> {
  const answered = await ask('POST', '/api/v1/invitations', { email, roles }, admin.cookie)
  expect(answered.statusCode).toBe(201)
  const made = answered.json<InvitationMade>()
  return { ...made, token: made.path.split('#token=')[1]! }
}

const password = 'violet tractors hum at noon'
const accept = (token: string, displayName = 'Nina New') =>
  ask('POST', '/api/auth/invitation/accept', { token, displayName, password })

const listed = async (id: string) => {
  const { items } = (await ask('GET', '/api/v1/invitations', undefined, admin.cookie)).json<{ items: Invitation[] }>()
  return items.find((each) => each.id === id)
}

describe('invitations', () => {
  test('whoever is invited chooses name and password, and signs in with the roles that were meant', async () => {
    const email = anAddress()
    const { token, id } = await invite(email, ['nurse', 'biomed'])
    expect((await ask('POST', '/api/auth/invitation/look', { token })).json()).toEqual({
      ...{ organisation: 'Ward 3', email, roles: ['nurse', 'biomed'], needsSecondFactor: false },
    })
    expect((await accept(token)).statusCode).toBe(201)
    const signedIn = await ask('POST', '/api/auth/sign-in/email', { email, password })
    const me = await ask('GET', '/api/v1/me', undefined, cookieOf(signedIn.headers['set-cookie']))
    expect(me.json<Me>()).toMatchObject({ displayName: 'Nina New', roles: ['nurse', 'biomed'] })
    expect((await listed(id))?.state).toBe('accepted')
  })

  test('a role that demands a second factor sets it up before anything else', async () => {
    const email = anAddress()
    const { token } = await invite(email, ['administrator'])
    await accept(token)
    const signedIn = await ask('POST', '/api/auth/sign-in/email', { email, password })
    expect(signedIn.json()).toMatchObject({ next: 'enrol-second-factor' })
  })

  test('a link that was used, taken back, replaced, has expired or never was gives one answer', async () => {
    const used = await invite(anAddress())
    await accept(used.token)
    const revoked = await invite(anAddress())
    expect((await ask('DELETE', `/api/v1/invitations/${revoked.id}`, undefined, admin.cookie)).statusCode).toBe(204)
    const replaced = await invite(anAddress())
    const again = await ask('POST', `/api/v1/invitations/${replaced.id}/resend`, {}, admin.cookie)
    expect(again.statusCode).toBe(201)
    const expired = await invite(anAddress())
    await shell.clock.advance(invitationMs)
    const never = 'clinv_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA'
    const answers = new Set<string>()
    for (const token of [used.token, revoked.token, replaced.token, expired.token, never])
      for (const answered of [await accept(token), await ask('POST', '/api/auth/invitation/look', { token })])
        answers.add(`${answered.statusCode} ${answered.body}`)
    expect([...answers]).toEqual([expect.stringMatching(/^410 .*invitation-over/)])
    // What is over was over before the hour: nothing waits in the list.
    admin = await shell.signIn(['administrator'])
    expect((await listed(expired.id))?.state).toBe('expired')
    expect((await listed(revoked.id))?.state).toBe('revoked')
  })

  test('of two who come at once with one link, one gets in', async () => {
    const { token } = await invite(anAddress())
    const answers = await Promise.all([accept(token, 'One'), accept(token, 'Two')])
    expect(answers.map(({ statusCode }) => statusCode).sort()).toEqual([201, 410])
  })

  test('a weak password does not use the link up', async () => {
    const { token } = await invite(anAddress())
    const weak = await ask('POST', '/api/auth/invitation/accept', { token, displayName: 'N', password: 'short' })
    expect(weak.statusCode).toBe(422)
    expect((await accept(token)).statusCode).toBe(201)
  })

  test('nobody invites who may not, or somebody to more than they hold', async () => {
    const nurse = await shell.signIn(['nurse'])
    const wanted = { email: anAddress(), roles: ['nurse'] }
    expect((await ask('POST', '/api/v1/invitations', wanted, nurse.cookie)).statusCode).toBe(403)
    const { id } = await invite(anAddress())
    for (const [method, url] of [
      ['GET', '/api/v1/invitations'],
      ['DELETE', `/api/v1/invitations/${id}`],
      ['POST', `/api/v1/invitations/${id}/resend`],
    ] as const)
      expect((await ask(method, url, method === 'POST' ? {} : undefined, nurse.cookie)).statusCode).toBe(403)
    const other = await shell.signIn(['administrator'], await shell.identity.createTenant(`Other ${people}`))
    expect((await ask('DELETE', `/api/v1/invitations/${id}`, undefined, other.cookie)).statusCode).toBe(404)
  })

  test('the token is nowhere in the database, in timers or in the log: sealed until it is sent, then gone', async () => {
    const { token, id } = await invite(anAddress())
    const { rows } = await shell.engine.db.pool.query('select * from auth.invitation where id = $1', [id])
    expect(JSON.stringify(rows)).not.toContain(token)
    const timers = await shell.engine.db.pool.query('select t::text as row from pgboss.job t')
    expect(JSON.stringify(timers.rows)).toContain(id)
    expect(JSON.stringify(timers.rows)).not.toContain(token)
    expect(shell.lines.join('')).not.toContain(token)
    expect(await shell.identity.invitations.mailOf(shell.tenant, id)).toMatchObject({ token, organisation: 'Ward 3' })
    await shell.engine.db.asEngine((tx) => shell.identity.invitations.markSent(tx, id))
    expect(await shell.identity.invitations.mailOf(shell.tenant, id)).toBeNull()
    const kept = await shell.engine.db.pool.query<{ token: Buffer | null }>(
      'select token from auth.invitation where id = $1',
      [id],
    )
    expect(kept.rows[0]?.token).toBeNull()
    expect((await accept(token)).statusCode).toBe(201)
  })
})
