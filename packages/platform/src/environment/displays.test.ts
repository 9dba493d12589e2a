/** Wall screens behind the real shell: what one reaches, and that it reaches nothing else. */
import type { DisplayBody, DisplayLink } from '@careloop/contract'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { makeAlerting } from '../alerting/index.ts'
import { alertingRoutes } from '../alerting/routes.ts'
import { cookieOf, type Signed, type TestShell, testShell } from '../api/testing/test-shell.ts'
import { makeSubjects } from '../subjects/index.ts'
import { subjectsRoutes } from '../subjects/routes.ts'
import { telemetryRoutes } from '../telemetry/routes.ts'
import { makeWorkflow } from '../workflow/index.ts'
import { workflowRoutes } from '../workflow/routes.ts'
import { forPassersBy, initialsOf } from './display-routes.ts'
import { environmentRoutes } from './routes.ts'

const day = 24 * 3_600_000
let shell: TestShell
let base: string
let facilities: Signed
beforeAll(async () => {
  shell = await testShell({
    routes(identity, engine) {
      const staff = (tenant: string) => identity.members(tenant)
      const subjects = makeSubjects(engine, staff)
      const alerting = makeAlerting(engine, subjects, staff)
      return [
        ...subjectsRoutes(subjects),
        ...telemetryRoutes(engine, subjects),
        ...alertingRoutes(alerting),
        ...workflowRoutes(makeWorkflow(engine, subjects, staff)),
        ...environmentRoutes({ engine, subjects, alerting, staff }),
      ]
    },
  })
  base = await shell.server.listen(0, '127.0.0.1')
  facilities = await shell.signIn(['facilities'])
})
afterAll(() => shell.close())

const sameOrigin = { 'sec-fetch-site': 'same-origin' }
const ask = (cookie: string, method: 'GET' | 'POST' | 'DELETE', url: string, payload?: object) =>
  shell.server.inject({
    ...{ method, url, headers: { ...sameOrigin, cookie } },
    ...(payload === undefined ? {} : { payload }),
  })
const create = async (days?: number): Promise<DisplayLink> => {
  const wanted = { name: 'Pharmacy, north wall', board: 'cold-chain', ...(days === undefined ? {} : { days }) }
  const answered = await ask(facilities.cookie, 'POST', '/api/v1/displays', wanted)
  expect(answered.statusCode).toBe(201)
  return answered.json()
}
const open = (token: string) => ask('', 'POST', '/api/v1/display/open', { token })
/** @returns the screen's cookie */
const screen = async (made?: DisplayLink): Promise<string> => {
  const opened = await open((made ?? (await create())).token)
  expect(opened.statusCode).toBe(204)
  return cookieOf(opened.headers['set-cookie'])
}
const board = async (cookie: string) => (await ask(cookie, 'GET', '/api/v1/display/board')).statusCode
const listed = async (id: string) =>
  (await ask(facilities.cookie, 'GET', '/api/v1/displays'))
    .json<{ items: DisplayBody[] }>()
    .items.find((each) => each.id === id)!

test('display > a one-time link opens once, and gives a cookie that no script reads and only its own routes get', async () => {
  const made = await create()
  expect(made.display).toMatchObject({ state: 'waiting', lastSeenAt: null, expiresAt: shell.clock.now() + 365 * day })
  const opened = await open(made.token)
  const set = String(opened.headers['set-cookie'])
  expect(set).toMatch(/; Path=\/api\/v1\/display; HttpOnly; SameSite=Strict/)
  expect(set).not.toContain(made.token)
  expect((await open(made.token)).statusCode).toBe(403)
  const cookie = cookieOf(opened.headers['set-cookie'])
  expect((await ask(cookie, 'GET', '/api/v1/display')).json()).toMatchObject({ name: 'Pharmacy, north wall' })
  expect(await board(cookie)).toBe(200)
  expect(await listed(made.display.id)).toMatchObject({ state: 'showing', lastSeenAt: shell.clock.now() })
  const told = (await shell.trail()).filter(({ actor }) => actor === `display:${made.display.id}`)
  expect(told.map(({ action, resource }) => `${action} ${resource}`)).toContain('login display')
})

test('display > a link that nobody opened for a day opens nothing', async () => {
  const made = await create()
  shell.clock.step(shell.clock.now() + day)
  facilities = await shell.signIn(['facilities'])
  expect((await open(made.token)).statusCode).toBe(403)
  expect((await listed(made.display.id)).state).toBe('link-over')
})

test('display > reaches its board and nothing else: every other route refuses it, and the refusal is told', async () => {
  const cookie = await screen()
  const own = new Set(['/api/v1/display', '/api/v1/display/board', '/api/v1/display/live'])
  const reached: string[] = []
  let refused = 0
  for (const { method, url, policy } of shell.server.routes) {
    if (own.has(url) || policy === 'public' || policy === 'operator') continue
    const path = url.replaceAll(/:[A-Za-z]+/g, '0190a5c0-0000-7000-8000-000000000001')
    const answered = await shell.server.inject({ method, url: path, headers: { ...sameOrigin, cookie } })
    refused += 1
    if (answered.statusCode !== 403) reached.push(`${method} ${url} ${answered.statusCode}`)
  }
  expect(reached).toEqual([])
  expect(refused).toBeGreaterThan(60)
  expect(
    (await shell.trail()).filter(({ actor, action }) => actor.startsWith('display:') && action === 'denied').length,
  ).toBeGreaterThan(60)
})

test('display > a person, a program or nobody reads no screen’s board', async () => {
  const token = await shell.token(['*:*'])
  const byToken = await shell.server.inject({ url: '/api/v1/display/board', headers: { authorization: token } })
  expect([await board(''), await board(facilities.cookie), byToken.statusCode]).toEqual([401, 401, 401])
})

test('display > is made by an administrator or facilities only, within their own organisation', async () => {
  const wanted = { name: 'Hall', board: 'cold-chain' }
  for (const role of ['nurse', 'physician', 'pharmacist', 'biomed', 'compliance', 'integrator'] as const) {
    const { cookie } = await shell.signIn([role])
    expect([role, (await ask(cookie, 'POST', '/api/v1/displays', wanted)).statusCode]).toEqual([role, 403])
  }
  const made = await create()
  const elsewhere = await shell.signIn(['facilities'], await shell.identity.createTenant('Other house'))
  expect((await ask(elsewhere.cookie, 'GET', '/api/v1/displays')).json()).toEqual({ items: [] })
  const url = `/api/v1/displays/${made.display.id}`
  expect((await ask(elsewhere.cookie, 'DELETE', url)).statusCode).toBe(404)
  expect((await ask(elsewhere.cookie, 'POST', `${url}/link`)).statusCode).toBe(404)
})

test('display > revoked it shows nothing at the next request, and its live stream ends by itself', async () => {
  const made = await create()
  const cookie = await screen(made)
  const stream = await fetch(`${base}/api/v1/display/live`, { headers: { cookie } })
  const ended = stream.text()
  expect((await ask(facilities.cookie, 'DELETE', `/api/v1/displays/${made.display.id}`)).statusCode).toBe(204)
  expect(await board(cookie)).toBe(401)
  // Woken by the fact; the clock stands still, so nothing else can have ended it.
  expect(await ended).toContain('event: ready')
  expect((await listed(made.display.id)).state).toBe('revoked')
  const again = await ask(facilities.cookie, 'POST', `/api/v1/displays/${made.display.id}/link`)
  expect(again.statusCode).toBe(409)
})

test('display > its stream ends within five seconds also when the word of its end was lost on the way', async () => {
  const made = await create()
  const stream = await fetch(`${base}/api/v1/display/live`, { headers: { cookie: await screen(made) } })
  const reader = stream.body!.pipeThrough(new TextDecoderStream()).getReader()
  expect((await reader.read()).value).toContain('event: ready')
  // As if by another process whose notification never came: no fact is told.
  await shell.engine.db.pool.query('update auth.display set sha256 = null where id = $1', [made.display.id])
  let isOver = false
  const ended = (async () => {
    while (!(await reader.read()).done);
    isOver = true
  })()
  const from = shell.clock.now()
  while (!isOver && shell.clock.now() - from < 5_000) await shell.clock.advance(500)
  await ended
})

test('display > a new link puts another screen in its place; the one before ends with it', async () => {
  const made = await create()
  const before = await screen(made)
  const next = (await ask(facilities.cookie, 'POST', `/api/v1/displays/${made.display.id}/link`)).json<DisplayLink>()
  expect(await board(before)).toBe(200)
  const after = await screen(next)
  expect([await board(before), await board(after)]).toEqual([401, 200])
})

test('display > ends when its time is over', async () => {
  const made = await create(2)
  const cookie = await screen(made)
  shell.clock.step(shell.clock.now() + 2 * day)
  expect(await board(cookie)).toBe(401)
})

test('display > colleagues stand on a wall by initials, and a task’s id not at all', () => {
  expect(['Nora Winter', 'Anna-Maria von der Au', 'Ö'].map(initialsOf)).toEqual(['N. W.', 'A. M. V.', 'Ö.'])
  const alert = { alert: 'a', task: 't', priority: 'high', nature: 'physiological', title: 'T', sentence: 'S' } as const
  const rest = { since: 0, condition: 'active', handling: 'acknowledged', claimedBy: 'Nora Winter' } as const
  const unit = { subject: { id: 's', kind: 'asset', name: 'Fridge' }, site: null, programs: [] } as const
  const shown = forPassersBy({
    ...{ at: 0 },
    units: [
      {
        ...{ ...unit, programs: [], unit: '°C', ucum: 'Cel', signal: 't', band: { low: 2, high: 8 }, probes: [] },
        ...{ doors: [], alerts: [{ ...alert, ...rest }], outSince: null },
      },
    ],
  })
  expect(shown.units[0]!.alerts[0]).toMatchObject({ claimedBy: 'N. W.', task: null })
})
