/**
 * A hospital in which somebody of every kind stands before every door: two care teams with a patient each, a refrigerator, another
 * organisation; real sign-in, real alerts, tasks and devices.
 */
import { randomUUID } from 'node:crypto'
import type { DisplayLink, Role, SignedIn } from '@careloop/contract'
import { evaluateAll } from '../../alerting/testing/evaluate-all.ts'
import { type ApiServer, makeApiServer } from '../../api/index.ts'
import { cookieOf, enrol } from '../../api/testing/test-shell.ts'
import { type ManualClock, makeManualClock } from '../../engine/clock/manual-clock.ts'
import type { Engine } from '../../engine/index.ts'
import { testEngine } from '../../engine/testing/index.ts'
import { aFridge, aPatient, asOwnService } from '../../subjects/fixtures.ts'
import { byConsole, grantSight } from '../../subjects/index.ts'
import { takeAllFacts } from '../../workflow/testing/take-all-facts.ts'
import { openDoors } from '../doors.ts'
import { openRooms, type Rooms } from '../rooms.ts'
import { routesOf } from '../routes.ts'

/** In the order of the table's columns. */
export const actors = [
  ...(['nurse', 'physician', 'pharmacist', 'facilities', 'biomed', 'administrator', 'compliance'] as const),
  ...(['integrator', 'patient', 'caregiver', 'service', 'display', 'device', 'nobody'] as const),
] as const
export type Actor = (typeof actors)[number]

/** Whose thing is asked for: of the actor's own team, of another team, of another organisation, of the refrigerator. */
export type Whose = 'own' | 'other' | 'tenant' | 'thing'

/** What there is of one subject. */
export interface Target {
  readonly subject: string
  readonly task: string
  readonly alert: string
  readonly enrolment: string
  readonly device: string
  readonly activity: string
  /** A nurse who works here, whomever the rest is of: so that a request fails for the subject and for nothing else. */
  readonly owner: string
  /** ms since epoch */
  readonly now: number
}

/** What is nowhere. */
export const nothing = ({ nurse: owner, clock }: Pick<World, 'nurse' | 'clock'>): Target => ({
  ...{ owner, now: clock.now() },
  ...{ subject: randomUUID(), task: randomUUID(), alert: randomUUID(), enrolment: randomUUID() },
  ...{ device: randomUUID(), activity: randomUUID() },
})

export interface World {
  readonly engine: Engine
  readonly server: ApiServer
  readonly clock: ManualClock
  readonly tenant: string
  /** A nurse of the own team, who owns its enrolments. */
  readonly nurse: string
  readonly headers: Readonly<Record<Actor, Readonly<Record<string, string>>>>
  readonly targets: Readonly<Record<Whose, Target>>
  close(): Promise<void>
}

export async function openWorld(): Promise<World> {
  const clock = makeManualClock(Date.now())
  const { engine, stop } = await testEngine({ clock })
  const rooms = await openRooms(engine, { secureCookies: false, signInsPerMinute: 1_000, idleLockMs: 7 * 86_400_000 })
  const doors = await openDoors(rooms, { mqtt: { host: '127.0.0.1', port: 0 }, mqtts: null, serverNames: [] })
  const server = await makeApiServer({
    ...{ engine, identity: rooms.identity, routes: routesOf(rooms, doors), readiness: [], version: '0.0.0-test' },
    deviceByToken: (sha256) => rooms.fleet.attribution.identityByTokenHash(sha256),
    subjectsOf: (tenant, ids) => rooms.subjects.placesOf(tenant, ids),
    operatorToken: 'an operator token that nobody here has',
  })
  const desk: Desk = { rooms, server, clock, people: 0 }
  const [tenant, elsewhere] = [
    await rooms.identity.createTenant('Here'),
    await rooms.identity.createTenant('Elsewhere'),
  ]
  const [nora, tess, bea] = [
    await signIn(desk, tenant, 'nurse'),
    await signIn(desk, tenant, 'nurse'),
    await signIn(desk, elsewhere, 'nurse'),
  ]
  await signIn(desk, elsewhere, 'physician')
  const staff = await signInAll(desk, tenant, nora)
  const ours = await team(
    rooms,
    tenant,
    'Ours',
    Object.values(staff).map(({ id }) => id),
  )
  const theirs = await team(rooms, tenant, 'Theirs', [tess.id])
  const elsewhereTeam = await team(rooms, elsewhere, 'Ours', [bea.id])
  const made = {
    own: await aTarget(rooms, tenant, { team: ours, owner: nora.id }),
    other: await aTarget(rooms, tenant, { team: theirs, owner: tess.id }),
    tenant: await aTarget(rooms, elsewhere, { team: elsewhereTeam, owner: bea.id }),
    thing: await aTarget(rooms, tenant, { team: null, owner: nora.id }),
  }
  await raiseAll(rooms, clock, [
    ...[made.own, made.other, made.thing].map((of) => ({ tenant, of })),
    { tenant: elsewhere, of: made.tenant },
  ])
  const targets = {
    own: await completed(desk, tenant, made.own, nora.cookie, nora.id),
    other: await completed(desk, tenant, made.other, tess.cookie, nora.id),
    tenant: await completed(desk, elsewhere, made.tenant, bea.cookie, nora.id),
    thing: await completed(desk, tenant, made.thing, nora.cookie, nora.id),
  }
  const bySession = ({ cookie }: Person) => ({ cookie, ...sameOrigin })
  const byToken = (token: string) => ({ authorization: `Bearer ${token}` })
  const of = (role: string) => bySession(staff[role]!)
  await asPersons(desk, tenant, targets.own.subject, staff)
  const headers: World['headers'] = {
    ...{ nurse: of('nurse'), physician: of('physician'), pharmacist: of('pharmacist'), facilities: of('facilities') },
    ...{ biomed: of('biomed'), administrator: of('administrator'), compliance: of('compliance') },
    ...{ integrator: of('integrator'), patient: of('patient'), caregiver: of('caregiver') },
    service: byToken(await aService(rooms, tenant)),
    display: { cookie: await aDisplay(desk, staff.facilities!.cookie), ...sameOrigin },
    device: byToken(await aDeviceToken(rooms, tenant, targets.own.device)),
    nobody: sameOrigin,
  }
  return {
    engine,
    ...{ server, clock, tenant, nurse: nora.id, headers, targets },
    async close() {
      await server.close()
      await doors.close()
      await stop()
    },
  }
}

const sameOrigin = { 'sec-fetch-site': 'same-origin' }

interface Desk {
  readonly rooms: Rooms
  readonly server: ApiServer
  readonly clock: ManualClock
  people: number
}

interface Person {
  readonly id: string
  readonly cookie: string
}

async function signIn({ rooms, server, clock, ...desk }: Desk, tenant: string, ...roles: Role[]): Promise<Person> {
  const [email, password] = [`${randomUUID()}@ward.example`, `quiet lamps over water ${desk.people}`]
  const { id } = await rooms.identity.createUser({ tenant, email, displayName: 'A colleague', roles, password })
  const answered = await server.inject({ method: 'POST', url: '/api/auth/sign-in/email', payload: { email, password } })
  const cookie = cookieOf(answered.headers['set-cookie'])
  if (answered.json<SignedIn>().next === 'signed-in') return { id, cookie }
  return { id, cookie: (await enrol(server, cookie, clock.now())).cookie }
}

const staffRoles: readonly Role[] = [
  ...([
    'nurse',
    'physician',
    'pharmacist',
    'facilities',
    'biomed',
    'administrator',
    'compliance',
    'integrator',
  ] as const),
]

async function signInAll(desk: Desk, tenant: string, nurse: Person): Promise<Record<string, Person>> {
  const all: Record<string, Person> = { nurse }
  for (const role of staffRoles) all[role] ??= await signIn(desk, tenant, role)
  all.patient = await signIn(desk, tenant, 'nurse')
  all.caregiver = await signIn(desk, tenant, 'nurse')
  return all
}

/** Accounts of a patient and of a caregiver: sessions like any other, sight of one patient by a grant. */
async function asPersons(
  { rooms }: Desk,
  tenant: string,
  subject: string,
  staff: Readonly<Record<string, Person>>,
): Promise<void> {
  const { engine } = rooms
  for (const [role, why] of [
    ['patient', 'self'],
    ['caregiver', 'consent'],
  ] as const) {
    const { id: user } = staff[role]!
    await engine.db.pool.query('update auth.member set roles = $2 where user_id = $1', [user, [role]])
    await engine.db.asTenant(tenant, (tx) =>
      grantSight(tx, {
        ...{ id: engine.ids.uuid(), subject, user, why, source: user, from: engine.clock.now(), actor: 'cli' },
      }),
    )
  }
}

const team = async ({ subjects }: Rooms, tenant: string, name: string, members: readonly string[]): Promise<string> =>
  (await subjects.createCareTeam(byConsole(tenant), { name, members: [...members] })).id

type Begun = Pick<Target, 'subject' | 'enrolment' | 'device'>

/** @param of team null: the refrigerator, which needs none */
async function aTarget(rooms: Rooms, tenant: string, of: { team: string | null; owner: string }): Promise<Begun> {
  const { subjects, fleet, alerting } = rooms
  const by = byConsole(tenant)
  const isThing = of.team === null
  const installed = new Set(
    (await alerting.programBodies(by)).filter(({ state }) => state === 'active').map(({ code }) => code),
  )
  const program = isThing ? 'vaccine-fridge' : 'hypertension-rpm'
  if (!installed.has(program)) await alerting.activateByCode(by, program)
  const { id: subject } = await subjects.create(by, isThing ? aFridge() : { ...aPatient(), team: of.team! })
  const enrolment = (await subjects.enrol(by, subject, { program, owner: of.owner })).id
  const device = await fleet.enrolDevice(by, {
    ...{ name: randomUUID(), classification: 'medical', profile: 'generic' },
  })
  await fleet.assign(by, device.id, subject, null)
  return { subject, enrolment, device: device.id }
}

/** Readings that raise one alert, and so one task, of each. */
async function raiseAll(
  rooms: Rooms,
  clock: ManualClock,
  all: readonly { readonly tenant: string; readonly of: Begun }[],
): Promise<void> {
  const { engine, subjects, ways } = rooms
  const frame = { format: 'json', bytes: Buffer.from('{}') } as const
  for (let minute = 0; minute < 30; minute++) {
    await clock.advance(60_000)
    const now = clock.now()
    const entries = all.map(({ tenant, of: { subject, device } }, at) => {
      const who = { tenant, device, assignment: subject, subject, door: 'mqtt', receivedAt: now } as const
      const [signal, value] = at === 2 ? (['temperature-probe', 20] as const) : (['systolic', 190] as const)
      const readings = [{ signal, value, measuredAt: now, ordinal: 0 }]
      return { kind: 'readings', ...who, origin: 'automatic', frame, readings } as const
    })
    await engine.log.append(entries)
  }
  await evaluateAll(engine, subjects)
  await takeAllFacts(engine, subjects, ways)
}

/** With the task, the alert and an entry of time spent. */
async function completed(
  { rooms, server, clock }: Desk,
  tenant: string,
  begun: Begun,
  cookie: string,
  owner: string,
): Promise<Target> {
  const { rows } = await rooms.engine.db.asTenant(tenant, (tx) =>
    tx.client.query<{ id: string; alert_id: string }>('select id, alert_id from tenant.task where subject_id = $1', [
      begun.subject,
    ]),
  )
  const { id: task, alert_id: alert } = rows[0]!
  const activity = randomUUID()
  const [from, to] = [clock.now() - 60_000, clock.now()]
  const answered = await server.inject({
    ...{ method: 'PUT', url: `/api/v1/activities/${activity}`, headers: { cookie, ...sameOrigin } },
    payload: { subject: begun.subject, from, to, kind: 'data-review', source: 'worklist', ended: true },
  })
  if (answered.statusCode !== 200) throw new Error(answered.body)
  return { ...begun, task, alert, activity, owner, now: clock.now() }
}

/** Scope of things only: `series:read:asset` and the devices. */
async function aService({ identity, engine }: Rooms, tenant: string): Promise<string> {
  const scopes = ['device:read', 'subject:read:asset', 'series:read:asset'] as const
  const made = await identity.createServiceToken({ tenant, name: 'Cold chain report', scopes: [...scopes] })
  await asOwnService(engine, tenant, made.id)
  return made.token
}

async function aDisplay({ server }: Desk, cookie: string): Promise<string> {
  const wanted = { name: 'Pharmacy', board: 'cold-chain' }
  const made = await server.inject({
    ...{ method: 'POST', url: '/api/v1/displays', headers: { cookie, ...sameOrigin }, payload: wanted },
  })
  const { token } = made.json<DisplayLink>()
  const opened = await server.inject({ method: 'POST', url: '/api/v1/display/open', payload: { token } })
  return cookieOf(opened.headers['set-cookie'])
}

async function aDeviceToken({ fleet }: Rooms, tenant: string, device: string): Promise<string> {
  const made = await fleet.createDeviceToken(byConsole(tenant), device, {})
  return made.token
}
