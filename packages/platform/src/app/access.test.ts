/** Every door of a whole platform, with somebody of every kind before it. The table says who gets in; what is not in it fails. */
import type { OperationOutcome, Worklist } from '@careloop/contract'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Route } from '../identity/index.ts'
import { requestOf } from './testing/access-requests.ts'
import { accessTable, type Line, type Open } from './testing/access-table.ts'
import { type Actor, actors, nothing, openWorld, type Target, type World } from './testing/access-world.ts'

let world: World
beforeAll(async () => {
  world = await openWorld()
}, 300_000)
afterAll(() => world?.close())

const nameOf = ({ method, url }: Route) => `${method} ${url}`
const isOpen = (entry: unknown): entry is Open =>
  typeof entry === 'string' && ['public', 'session', 'signed-in', 'fhir'].includes(entry)
const ask = (actor: Actor, route: Route, target: Target) =>
  world.server.inject({ ...requestOf(route, target), headers: world.headers[actor] })
type Answered = Awaited<ReturnType<typeof ask>>

function letterOf(answered: Answered): string {
  const { statusCode } = answered
  if (statusCode === 401) return '0'
  if (statusCode === 404) return '-'
  if (statusCode !== 403) return '+'
  // Asked for a second factor, or told that it is a colleague's: whoever hears that was let in by their role.
  const code = answered.json<OperationOutcome>().issue[0]!.details!.coding[0]!.code
  return code === 'not-allowed' ? 'x' : '+'
}

/** A stream does not end: of those only who is refused is asked. */
const isStream = ({ url }: Route) => url.endsWith('/live')

async function lineOf(route: Route, target: Target, expected: Line): Promise<Line> {
  const letters = await Promise.all(
    actors.map(async (actor, at) =>
      isStream(route) && expected[at] === '+' ? '+' : letterOf(await ask(actor, route, target)),
    ),
  )
  return letters.join('')
}

describe('access', () => {
  test('every route stands in the table, and nothing else does', () => {
    expect(Object.keys(accessTable).sort()).toEqual(world.server.routes.map(nameOf).sort())
  })

  test('routes that ask for no role say so in the table, and whoever is not signed in gets into public ones only', async () => {
    for (const route of world.server.routes) {
      const entry = accessTable[nameOf(route)]
      const isByRole = typeof route.policy === 'object' || ['device', 'display', 'operator'].includes(route.policy)
      expect([nameOf(route), isByRole ? isOpen(entry) : entry]).toEqual([
        nameOf(route),
        isByRole ? false : route.policy,
      ])
      if (entry !== 'session' && entry !== 'signed-in' && entry !== 'fhir') continue
      for (const [actor, letter] of [
        ['nobody', '0'],
        ['device', 'x'],
        ['display', 'x'],
      ] as const)
        expect([nameOf(route), actor, letterOf(await ask(actor, route, nothing(world)))]).toEqual([
          ...[nameOf(route), actor, letter],
        ])
    }
  })

  test('whoever asks for what belongs to no subject gets in by their role alone', async () => {
    const wrong: string[] = []
    for (const route of world.server.routes) {
      const expected = accessTable[nameOf(route)]
      if (typeof expected !== 'string' || isOpen(expected)) continue
      const line = (await lineOf(route, nothing(world), expected)).replaceAll('-', '+')
      if (line !== expected) wrong.push(`${nameOf(route)}: '${line}', the table says '${expected}'`)
    }
    expect(wrong).toEqual([])
  }, 300_000)

  test('what belongs to a subject is there for whom it may be, and for nobody else', async () => {
    const wrong: string[] = []
    for (const route of world.server.routes) {
      const expected = accessTable[nameOf(route)]
      if (expected === undefined || typeof expected === 'string') continue
      for (const whose of ['own', 'other', 'thing'] as const) {
        const line = await lineOf(route, world.targets[whose], expected[whose])
        if (line !== expected[whose])
          wrong.push(`${nameOf(route)} of ${whose}: '${line}', the table says '${expected[whose]}'`)
      }
    }
    expect(wrong).toEqual([])
  }, 300_000)

  test("another team's patient and another organisation's answer word for word as one who does not exist", async () => {
    const different: string[] = []
    for (const route of world.server.routes) {
      const expected = accessTable[nameOf(route)]
      if (expected === undefined || typeof expected === 'string') continue
      for (const [at, actor] of actors.entries()) {
        // Opaque ids of devices are their daily bread: for them a device of another team is there, another organisation's is not.
        if (expected.own[at] !== '+') continue
        for (const whose of ['other', 'tenant'] as const) {
          if (whose === 'other' && expected.other[at] === '+' && (isOpaque(actor) || !readsAlike.has(nameOf(route))))
            continue
          // A device is nobody's secret: it is the same one, on nobody who is known.
          const unknown = await ask(actor, route, { ...nothing(world), device: world.targets[whose].device })
          const { statusCode, body } = await ask(actor, route, world.targets[whose])
          if (statusCode !== unknown.statusCode || body !== unknown.body)
            different.push(`${nameOf(route)} of ${whose} for ${actor}: ${statusCode} ${body}, unknown: ${unknown.body}`)
        }
      }
    }
    expect(different).toEqual([])
  }, 300_000)

  test('no list, total, export or search tells of what its reader may not know of', async () => {
    const { other, tenant, own } = world.targets
    const secretsOf = ({ subject, task, alert, enrolment, activity }: Target) => [
      subject,
      task,
      alert,
      enrolment,
      activity,
    ]
    for (const route of world.server.routes.filter((each) => each.method === 'GET' && !each.url.includes(':'))) {
      if (isStream(route)) continue
      for (const actor of actors) {
        const { body, statusCode } = await ask(actor, route, nothing(world))
        if (statusCode !== 200) continue
        const hidden = [...secretsOf(tenant), tenant.device, ...(seesOpaque(route, actor) ? [] : secretsOf(other))]
        const charts = isAttached(actor) || seesOpaque(route, actor) ? [] : secretsOf(own)
        const told = [...hidden, ...charts].filter((id) => body.includes(id))
        expect([nameOf(route), actor, told]).toEqual([nameOf(route), actor, []])
      }
    }
  }, 300_000)

  test('a worklist counts what it shows, and no more', async () => {
    const { own, thing } = world.targets
    for (const [actor, subjects] of [
      ['nurse', [own.subject, thing.subject]],
      ['facilities', [thing.subject]],
      ['administrator', [thing.subject]],
    ] as const) {
      const answered = await world.server.inject({ url: '/api/v1/worklist', headers: world.headers[actor] })
      const { rows, total } = answered.json<Worklist>()
      expect([actor, new Set(rows.map((row) => row.subject.id)), total]).toEqual([
        actor,
        new Set(subjects),
        rows.length,
      ])
    }
  })
})

/** Lists that are empty for whoever may not know of the subject, as they are for an id of nobody. */
const readsAlike = new Set([
  'GET /api/v1/subjects/:id/enrolments',
  'POST /api/v1/subjects/search',
  'GET /api/v1/devices/:id/assignments',
])
const isAttached = (actor: Actor): boolean => ['nurse', 'physician', 'patient', 'caregiver'].includes(actor)
/** Who mends devices reads whose they are by opaque ids. */
const isOpaque = (actor: Actor): boolean => ['biomed', 'administrator', 'integrator'].includes(actor)
const seesOpaque = ({ url }: Route, actor: Actor): boolean => url === '/api/v1/devices' && isOpaque(actor)
