import type { Me, OwnPerson, PersonAccount, PersonInvited } from '@careloop/contract'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { cookieOf, enrol, type Signed, type TestShell, testShell } from '../api/testing/test-shell.ts'
import { currentCode, forgetPersons } from '../identity/index.ts'
import { byConsole } from './by.ts'
import { aPatient } from './fixtures.ts'
import { personRoutes, subjectsRoutes } from './routes.ts'
import { makeSubjects, type Subjects } from './subjects.ts'

let shell: TestShell
let subjects: Subjects
let nurse: Signed
let patient: string
let teamPatient: string

beforeAll(async () => {
  shell = await testShell({
    routes(identity, engine) {
      subjects = makeSubjects(engine, (tenant) => identity.members(tenant))
      return [...subjectsRoutes(subjects), ...personRoutes({ engine, subjects, identity })]
    },
  })
  nurse = await shell.signIn(['nurse'])
  const by = byConsole(shell.tenant)
  patient = (await subjects.create(by, aPatient({ mrn: 'MRN-P-1' }))).id
  const team = await subjects.createCareTeam(by, { name: 'Others', members: [] })
  teamPatient = (await subjects.create(by, { ...aPatient({ mrn: 'MRN-P-2' }), team: team.id })).id
})
afterAll(() => shell.close())

const ask = (method: 'GET' | 'POST' | 'DELETE', url: string, payload?: object, cookie = '') =>
  shell.server.inject({
    ...{ method, url, headers: { 'sec-fetch-site': 'same-origin', ...(cookie === '' ? {} : { cookie }) } },
    ...(payload === undefined ? {} : { payload }),
  })

async function invited(kind: 'patient' | 'caregiver', of = patient): Promise<PersonInvited> {
  const wanted = kind === 'patient' ? { kind } : { kind, relationship: 'child' }
  const answered = await ask('POST', `/api/v1/subjects/${of}/accounts`, wanted, nurse.cookie)
  expect(answered.body).toContain('code')
  return answered.json<PersonInvited>()
}

const birthDate = '1947-02-11'
const password = 'seven quiet owls on a wire'
const activate = (body: object) => ask('POST', '/api/auth/person/activate', { birthDate, password, ...body })

async function signIn(login: string): Promise<string> {
  const answered = await ask('POST', '/api/auth/sign-in/email', { email: login, password })
  expect(answered.json()).toMatchObject({ next: 'signed-in' })
  return cookieOf(answered.headers['set-cookie'])
}

/** What must be found nowhere, as people write it and as it is normalised. */
const secrets = [
  ...['Zwölfaxinger', 'Kunigunde', 'kuni.own@example.org', 'Kuni.Own@Example.org', '+436641234567', '6641234567'],
  ...['Theodora Tochter', 'thea.tochter@example.org', 'child'],
]

describe('accounts of patients and caregivers', () => {
  test('a patient changes their own password, and sets up and gives up a second factor of their own', async () => {
    const { code } = await invited('patient')
    expect((await activate({ code, login: 'own.password@example.org' })).statusCode).toBe(204)
    let cookie = await signIn('own.password@example.org')
    expect((await ask('GET', '/api/v1/second-factor', undefined, cookie)).json()).toMatchObject({
      ...{ isOn: false, isNeeded: false, atProvider: null },
    })
    const newPassword = 'nine loud geese under a bridge'
    const change = { currentPassword: password, newPassword, revokeOtherSessions: true }
    const changed = await ask('POST', '/api/auth/change-password', change, cookie)
    expect(changed.statusCode).toBe(204)
    cookie = cookieOf(changed.headers['set-cookie'])
    const app = await enrol(shell.server, cookie, shell.clock.now(), newPassword)
    expect((await ask('GET', '/api/v1/second-factor', undefined, app.cookie)).json()).toMatchObject({ isOn: true })
    const again = { email: 'own.password@example.org', password: newPassword }
    expect((await ask('POST', '/api/auth/sign-in/email', again)).json()).toMatchObject({ next: 'second-factor' })
    const given = { password: newPassword, code: currentCode(app.secret, shell.clock.now(), 1) }
    expect((await ask('POST', '/api/v1/second-factor/remove', given, app.cookie)).statusCode).toBe(204)
  })

  test('a patient makes an account with the code and the date of birth, and sees themselves and nobody else', async () => {
    const { code } = await invited('patient')
    // As it is typed from paper: small letters, without hyphens, with letters that look alike.
    const typed = code.toLowerCase().replaceAll('-', ' ').replaceAll('0', 'o').replaceAll('1', 'l')
    expect((await activate({ code: typed, login: ' Kuni.Own@Example.org ' })).statusCode).toBe(204)
    const cookie = await signIn('kuni.own@example.org')
    const me = (await ask('GET', '/api/v1/me', undefined, cookie)).json<Me>()
    expect(me).toMatchObject({ roles: ['patient'], idleLockMs: 7 * 86_400_000 })
    expect((await ask('GET', '/api/v1/me/person', undefined, cookie)).json<OwnPerson>()).toEqual({
      ...{ kind: 'patient', name: null, subject: patient },
    })
    const own = await ask('GET', `/api/v1/subjects/${patient}`, undefined, cookie)
    expect(own.json()).toMatchObject({ display: 'Zwölfaxinger, Kunigunde' })
    expect((await ask('GET', `/api/v1/subjects/${teamPatient}`, undefined, cookie)).statusCode).toBe(404)
    for (const url of [
      '/api/v1/users',
      '/api/v1/colleagues',
      `/api/v1/subjects/${patient}/accounts`,
      '/api/v1/invitations',
    ])
      expect((await ask('GET', url, undefined, cookie)).statusCode).toBe(403)
  })

  test('a caregiver signs in by telephone and sees nobody until a consent says so', async () => {
    const { code } = await invited('caregiver')
    expect((await activate({ code, login: '0043 664 123 45 67', name: 'Theodora Tochter' })).statusCode).toBe(204)
    const cookie = await signIn('+43 (664) 1234567')
    expect((await ask('GET', '/api/v1/me/person', undefined, cookie)).json<OwnPerson>()).toEqual({
      ...{ kind: 'caregiver', name: 'Theodora Tochter', subject: null },
    })
    expect((await ask('GET', `/api/v1/subjects/${patient}`, undefined, cookie)).statusCode).toBe(404)
    const { items } = (await ask('GET', `/api/v1/subjects/${patient}/accounts`, undefined, nurse.cookie)).json<{
      items: PersonAccount[]
    }>()
    expect(items.find(({ kind }) => kind === 'caregiver')).toMatchObject({
      ...{ name: 'Theodora Tochter', relationship: 'child', state: 'active' },
    })
  })

  test('no name, e-mail, telephone number or relationship stands in any row of identity or subjects', async () => {
    const { rows: tables } = await shell.engine.db.pool.query<{ name: string }>(
      `select format('%I.%I', table_schema, table_name) as name from information_schema.tables
        where table_schema in ('auth', 'tenant') and table_type = 'BASE TABLE'`,
    )
    expect(tables.length).toBeGreaterThan(20)
    let rowsRead = 0
    for (const { name } of tables) {
      const { rows } = await shell.engine.db.pool.query<{ row: string }>(`select t::text as row from ${name} t`)
      rowsRead += rows.length
      const text = rows.map(({ row }) => row).join('\n')
      for (const secret of secrets) {
        const forms = [
          secret,
          secret.toLowerCase(),
          Buffer.from(secret).toString('hex'),
          Buffer.from(secret).toString('base64'),
        ]
        for (const form of forms) expect(text.includes(form), `${secret} in ${name}`).toBe(false)
      }
    }
    expect(rowsRead).toBeGreaterThan(20)
    expect(secrets.some((secret) => shell.lines.join('').includes(secret))).toBe(false)
  })

  test('code and date of birth are refused alike; after five wrong dates the code is over', async () => {
    const { code } = await invited('caregiver')
    const wrong = { code, login: 'guess@example.org', name: 'G', birthDate: '1950-01-01' }
    const answers = new Set<string>()
    for (let tries = 0; tries < 5; tries += 1) answers.add((await activate(wrong)).body)
    answers.add((await activate({ ...wrong, birthDate })).body)
    answers.add((await activate({ ...wrong, birthDate, code: 'AAAAA-AAAAA-AAAAA' })).body)
    expect([...answers]).toEqual([expect.stringContaining('activation-refused')])
  })

  test('guesses at codes from one address are slowed down', async () => {
    const slow = await testShell({
      ...{ signInsPerMinute: 3 },
      routes: (identity, engine) => personRoutes({ engine, subjects, identity }),
    })
    const guess = { code: 'AAAAA-AAAAA-AAAAA', birthDate, login: 'a@example.org', password }
    const statuses: number[] = []
    for (let tries = 0; tries < 5; tries += 1)
      statuses.push(
        (await slow.server.inject({ method: 'POST', url: '/api/auth/person/activate', payload: guess })).statusCode,
      )
    await slow.close()
    expect(statuses).toEqual([403, 403, 403, 429, 429])
  })

  test('a code is good once, expires, and what staff or somebody else signs in with is not taken over', async () => {
    const first = await invited('caregiver')
    expect((await activate({ code: first.code, login: 'once@example.org', name: 'O' })).statusCode).toBe(204)
    expect((await activate({ code: first.code, login: 'twice@example.org', name: 'O' })).statusCode).toBe(403)
    const second = await invited('caregiver')
    for (const login of ['once@example.org', nurse.email])
      expect((await activate({ code: second.code, login, name: 'O' })).body).toContain('login-taken')
    expect((await activate({ code: second.code, login: 'not a login', name: 'O' })).body).toContain('sign-in-invalid')
    await shell.clock.advance(14 * 86_400_000)
    expect((await activate({ code: second.code, login: 'late@example.org', name: 'O' })).statusCode).toBe(403)
    nurse = await shell.signIn(['nurse'])
  })

  test('only who may see the patient invites, lists or ends; to others the patient is not there', async () => {
    const facilities = await shell.signIn(['facilities'])
    const admin = await shell.signIn(['administrator'])
    for (const cookie of [facilities.cookie, admin.cookie]) {
      const answered = await ask('POST', `/api/v1/subjects/${patient}/accounts`, { kind: 'patient' }, cookie)
      expect([403, 404]).toContain(answered.statusCode)
    }
    const notMine = await ask('POST', `/api/v1/subjects/${teamPatient}/accounts`, { kind: 'patient' }, nurse.cookie)
    const nowhere = await ask('POST', `/api/v1/subjects/${shell.tenant}/accounts`, { kind: 'patient' }, nurse.cookie)
    expect(notMine.statusCode).toBe(404)
    expect(notMine.body).toBe(nowhere.body)
    expect((await ask('GET', `/api/v1/subjects/${teamPatient}/accounts`, undefined, nurse.cookie)).statusCode).toBe(404)
  })

  test('an account that is ended opens nothing from the next request on, and its login is free again', async () => {
    const { code, id } = await invited('patient')
    await activate({ code, login: 'ends@example.org' })
    const cookie = await signIn('ends@example.org')
    expect(
      (await ask('DELETE', `/api/v1/subjects/${teamPatient}/accounts/${id}`, undefined, nurse.cookie)).statusCode,
    ).toBe(404)
    expect(
      (await ask('DELETE', `/api/v1/subjects/${patient}/accounts/${id}`, undefined, nurse.cookie)).statusCode,
    ).toBe(204)
    expect((await ask('GET', '/api/v1/me', undefined, cookie)).statusCode).toBe(401)
    const refused = await ask('POST', '/api/auth/sign-in/email', { email: 'ends@example.org', password })
    expect(refused.statusCode).toBe(401)
    const next = await invited('patient')
    expect((await activate({ code: next.code, login: 'ends@example.org' })).statusCode).toBe(204)
  })
})

describe('when a patient is erased', () => {
  test('the accounts of their chart end, and nothing sealed of a caregiver opens any more', async () => {
    const by = byConsole(shell.tenant)
    const gone = (await subjects.create(by, aPatient({ mrn: 'MRN-P-3' }))).id
    const own = await invited('patient', gone)
    const cares = await invited('caregiver', gone)
    await activate({ code: own.code, login: 'gone@example.org' })
    await activate({ code: cares.code, login: 'cares@example.org', name: 'Carla Carer' })
    const cookies = [await signIn('gone@example.org'), await signIn('cares@example.org')]
    const erased = { tenant: shell.tenant, subject: gone, at: shell.clock.now(), actor: 'cli' }
    const forget = forgetPersons(shell.engine)
    await shell.engine.db.asEngine((tx) => forget(tx, erased))
    await shell.engine.db.asEngine((tx) => forget(tx, erased)) // as a restore does
    for (const cookie of cookies) expect((await ask('GET', '/api/v1/me', undefined, cookie)).statusCode).toBe(401)
    for (const login of ['gone@example.org', 'cares@example.org'])
      expect((await ask('POST', '/api/auth/sign-in/email', { email: login, password })).statusCode).toBe(401)
    await expect(shell.engine.keys.keyFor('auth', `person ${cares.id}`)).rejects.toMatchObject({
      code: 'key-destroyed',
    })
    const { rows } = await shell.engine.db.pool.query<{ open: number }>(
      `select count(*)::int as open from auth.person_account
        where subject_id = $1 and (login_hmac is not null or login is not null or name is not null or ended_at is null)`,
      [gone],
    )
    expect(rows[0]?.open).toBe(0)
  })
})
