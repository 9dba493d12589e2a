import type { NewFact, OperationOutcome } from '@careloop/contract'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { settledFacts } from '../engine/testing/index.ts'
import type { Sighted } from '../subjects/index.ts'
import { comparePositions, maxBacklog } from './live.ts'
import { makeLiveHub, maxWaiting } from './live-hub.ts'
import { type TestShell, testShell } from './testing/test-shell.ts'

const otherTeam = '0197a000-0000-7000-8000-000000000001'
let shell: TestShell
let base: string
beforeAll(async () => {
  const subjects = new Map<string, Sighted>([
    ['patient-1', { id: 'patient-1', kind: 'patient', team: null }],
    ['patient-2', { id: 'patient-2', kind: 'patient', team: otherTeam }],
    ['asset-1', { id: 'asset-1', kind: 'asset', team: null }],
    ...['s1'].map((id) => [id, { id, kind: 'asset', team: null }] as const),
  ])
  shell = await testShell({
    subjectsOf: async (_tenant, ids) =>
      new Map(ids.flatMap((id) => (subjects.has(id) ? [[id, subjects.get(id)!]] : []))),
  })
  base = await shell.server.listen(0, '127.0.0.1')
})
afterAll(() => shell.close())

interface LiveEvent {
  readonly id: string | undefined
  readonly event: string
  readonly data: Record<string, unknown>
}

/** Reads a live page's events one by one, as a browser's EventSource does. */
async function listen(headers: Record<string, string>, query = '') {
  const gone = new AbortController()
  const answered = await fetch(`${base}/api/v1/live${query}`, { headers, signal: gone.signal })
  expect(answered.status).toBe(200)
  expect(answered.headers.get('content-type')).toBe('text/event-stream')
  const reader = answered.body!.pipeThrough(new TextDecoderStream()).getReader()
  let text = ''
  const next = async (): Promise<LiveEvent | null> => {
    for (;;) {
      const end = text.indexOf('\n\n')
      if (end < 0) {
        const { done, value } = await reader.read()
        if (done) return null
        text += value
        continue
      }
      const fields = new Map(
        text
          .slice(0, end)
          .split('\n')
          .map((line) => line.split(/: (.*)/s, 2) as [string, string]),
      )
      text = text.slice(end + 2)
      if (!fields.has('event')) continue // a comment: the heartbeat
      return { id: fields.get('id'), event: fields.get('event')!, data: JSON.parse(fields.get('data')!) }
    }
  }
  return { next, leave: () => gone.abort() }
}

const publish = (facts: readonly NewFact[], tenant = shell.tenant) =>
  shell.engine.db.asEngine(async (tx) => {
    for (const fact of facts) await tx.publish(tenant, fact)
  })
const task = (id: string): NewFact => ({ type: 'TaskOpened', task: id, subject: 's1' })

describe('api > a live page', () => {
  test('hears of a task as it opens, by opaque ids only', async () => {
    const page = await listen({ authorization: await shell.token(['live:read', 'task:read']) })
    expect(await page.next()).toMatchObject({ event: 'ready' })
    await publish([task('t1')])
    const heard = await page.next()
    expect(heard).toMatchObject({ event: 'TaskOpened', data: { task: 't1', subject: 's1' } })
    expect(heard!.id).toMatch(/^\d+:\d+$/)
    page.leave()
  })

  test('hears only what its reader may read, of its own tenant', async () => {
    const page = await listen({ authorization: await shell.token(['live:read', 'task:read']) })
    await page.next()
    const other = await shell.identity.createTenant('Ward 9')
    await publish([task('theirs')], other)
    await publish([{ type: 'DeviceChanged', device: 'd1' }, task('mine')])
    expect(await page.next()).toMatchObject({ data: { task: 'mine' } })
    page.leave()
  })

  test('hears of kinds of subject that its reader may know of, and of no others', async () => {
    const { cookie } = await shell.signIn(['facilities'])
    const page = await listen({ cookie })
    await page.next()
    await publish([
      { type: 'TaskOpened', task: 'of a patient', subject: 'patient-1' },
      { type: 'TaskOpened', task: 'of nobody', subject: 'unknown' },
      { type: 'TaskOpened', task: 'of a refrigerator', subject: 'asset-1' },
    ])
    expect(await page.next()).toMatchObject({ data: { task: 'of a refrigerator' } })
    page.leave()
    const nurse = await listen({ cookie: (await shell.signIn(['nurse'])).cookie })
    await nurse.next()
    await publish([{ type: 'TaskOpened', task: 'of a patient', subject: 'patient-1' }])
    expect(await nurse.next()).toMatchObject({ data: { task: 'of a patient' } })
    nurse.leave()
  })

  test('hears of no patient of another care team, and of theirs from when they join it, without asking anew', async () => {
    const nurse = await shell.signIn(['nurse'])
    const page = await listen({ cookie: nurse.cookie })
    await page.next()
    await publish([{ type: 'TaskOpened', task: 'of another team', subject: 'patient-2' }, task('mine')])
    expect(await page.next()).toMatchObject({ data: { task: 'mine' } })
    await shell.engine.db.asTenant(shell.tenant, async (tx) => {
      await tx.client.query('insert into tenant.care_team (id, name, created_at) values ($1, $2, 0)', [
        otherTeam,
        'Others',
      ])
      await tx.client.query('insert into tenant.care_team_member (team_id, user_id) values ($1, $2)', [
        ...[otherTeam, nurse.id],
      ])
      await tx.publish({ type: 'CareTeamChanged', team: otherTeam })
    })
    expect(await page.next()).toMatchObject({ event: 'CareTeamChanged' })
    await publish([{ type: 'TaskOpened', task: 'of their new team', subject: 'patient-2' }])
    expect(await page.next()).toMatchObject({ data: { task: 'of their new team' } })
    page.leave()
  })

  test('that comes back is told what it missed, once and in order, then what is new', async () => {
    const authorization = await shell.token(['live:read', 'task:read'])
    const before = await listen({ authorization })
    await before.next()
    await publish([task('a')])
    const last = (await before.next())!.id!
    before.leave()
    await publish([task('b'), task('c')])
    const after = await listen({ authorization, 'last-event-id': last })
    await after.next()
    await publish([task('d')])
    const heard = [await after.next(), await after.next(), await after.next()]
    expect(heard.map((event) => event!.data.task)).toEqual(['b', 'c', 'd'])
    after.leave()
  })

  test('that was away too long, or beyond what is kept, is told to read again', async () => {
    const authorization = await shell.token(['live:read', 'task:read'])
    const page = await listen({ authorization }, '?after=1:1') // older than the oldest fact kept
    expect([(await page.next())!.event, (await page.next())!.event]).toEqual(['ready', 'reset'])
    page.leave()

    const [oldest] = await settledFacts(shell.engine)
    await publish(Array.from({ length: maxBacklog + 1 }, (_, at) => task(`many${at}`)))
    const late = await listen({ authorization, 'last-event-id': oldest!.position })
    expect([(await late.next())!.event, (await late.next())!.event]).toEqual(['ready', 'reset'])
    await publish([task('after reset')])
    let heard = await late.next()
    while (heard !== null && heard.data.task !== 'after reset') heard = await late.next()
    expect(heard).toMatchObject({ data: { task: 'after reset' } })
    late.leave()
  })

  test('ends at once when its token is revoked or its session is over', async () => {
    const made = await shell.identity.createServiceToken({
      ...{ tenant: shell.tenant, name: 'page', scopes: ['live:read', 'task:read'] },
    })
    const page = await listen({ authorization: `Bearer ${made.token}` })
    await page.next()
    await shell.identity.revokeServiceToken(shell.tenant, made.id)
    expect(await page.next()).toBeNull()

    const nurse = await shell.signIn(['nurse'])
    const theirs = await listen({ cookie: nurse.cookie })
    await theirs.next()
    await shell.identity.endMembership(shell.tenant, nurse.id)
    expect(await theirs.next()).toBeNull()
  })

  test('is refused to who may not look, and to a device', async () => {
    const refused = await fetch(`${base}/api/v1/live`, { headers: { authorization: await shell.token(['task:read']) } })
    expect(refused.status).toBe(403)
    expect((await fetch(`${base}/api/v1/live`)).status).toBe(401)
    const wrong = await fetch(`${base}/api/v1/live?after=x`, {
      headers: { authorization: await shell.token(['live:read']) },
    })
    expect(((await wrong.json()) as OperationOutcome).issue[0]!.expression).toEqual(['/query/after'])
  })

  test('a page that does not read holds a bounded number of events, then is told to read again', async () => {
    const hub = makeLiveHub(shell.engine)
    let woken = 0
    let told: () => void = () => {}
    const many = new Promise<void>((resolve) => {
      told = resolve
    })
    const seat = hub.join(shell.tenant, () => {
      woken += 1
      if (woken > maxWaiting) told()
    })
    await publish(Array.from({ length: maxWaiting + 1 }, (_, at) => task(`x${at}`)))
    await many
    expect(seat.take()).toBeNull()
    expect(seat.take()).toEqual([])
    seat.leave()
    hub.close()
  })
})

test('api > positions are compared as numbers, not as text', () => {
  expect(comparePositions('9:1', '10:1')).toBeLessThan(0)
  expect(comparePositions('10:2', '10:10')).toBeLessThan(0)
  expect(comparePositions('10:2', '10:2')).toBe(0)
  expect(comparePositions('18446744073709551615:1', '18446744073709551614:2')).toBeGreaterThan(0)
})
