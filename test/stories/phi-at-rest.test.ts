/**
 * Names, identifiers and words are put in by every door of a real server; then every file, every column, every log, metric, mail and
 * refusal is searched for them, in every spelling. Columns are stored uncompressed for it, so that nothing hides in a compressed one.
 */
import { randomUUID } from 'node:crypto'
import type { SubjectRules } from '@careloop/contract'
import { connectAsync } from 'mqtt'
import type pg from 'pg'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { openPostOffice, type PostOffice } from '../../packages/platform/src/integrations/testing/post-office.ts'
import { type Ground, openGround } from './support/ground.ts'
import { type Haystack, makeHaystack, type Needle } from './support/needles.ts'
import { type StaffSession, signIn } from './support/staff-session.ts'

/** Words of a person, and free text that staff type about them. None of them stands anywhere else in the project. */
const w = {
  family: 'Zwitschermöller',
  given: 'Quirinalda',
  mrn: 'MRN-7730-4419-88',
  phone: '+43 660 7730441',
  email: 'quirinalda.z@nest.example',
  street: 'Kanarienvogelgasse 12',
  city: 'Oberfiepingen',
  birthDate: '1931-07-23',
  searched: 'Piepsfinkenstein',
  outcome: 'Sie nahm die Tropfen nicht, sagt Schwester Amselgard',
  handOff: 'Bitte übernimm, ich muss zu Frau Drosselbarth',
  override: 'Ihr Herz schlägt langsam seit der Operation Starenwald',
  correction: 'Das Gerät trug ihr Bruder Sperlingius',
  activity: 'Mit der Tochter Rotkehlinde telefoniert',
  consent: 'Nichts an den Schwager Wiedehopfer',
  withdrawal: 'Der Schwager Eisvogelmann drohte ihr',
  emergency: 'Bewusstlos gefunden im Garten bei Nachtigallhofer',
  erasure: 'Sie schrieb uns am Tag vor Kuckuckstett',
  hold: 'Klage des Neffen Turmfalkenau vor Gericht',
  frame: 'Patient Bachstelzinger, room 5',
  attribute: 'tablet of Zaunkönigsdorf',
  fhirNote: 'Am Ofen eingeschlafen, sagt die Enkelin Haubentaucherin',
  fhirId: 'kiebitzreiter-4711-08',
  fhirIdentifier: 'OBS-Wiedehopf-0815',
  fhirSearched: 'Rohrdommelsky',
  fhirRefused: 'Ziegenmelkerin',
} as const

let ground: Ground
let office: PostOffice
let haystack: Haystack
let nurse: StaffSession
let physician: StaffSession
let stranger: StaffSession
let admin: StaffSession
let compliance: StaffSession

beforeAll(async () => {
  office = await openPostOffice()
  const { host, port } = office.settings
  ground = await openGround({
    CARELOOP_LOG: 'trace',
    CARELOOP_SMTP_URL: `smtp://${host}:${port}`,
    CARELOOP_MAIL_FROM: 'careloop@ward.example',
    CARELOOP_PUBLIC_ORIGIN: '',
  })
  await storeUncompressed(pool())
  haystack = makeHaystack(Object.entries(w).map(([name, value]): Needle => ({ name, value })))
  const { tenant } = ground.clinic
  const base = `http://127.0.0.1:${ground.server.http}`
  const signing = { rooms: ground.rooms(), base, tenant, hear: haystack.search }
  nurse = await signIn(signing, 'nora', ['nurse'])
  physician = await signIn(signing, 'phil', ['physician'])
  stranger = await signIn(signing, 'stella', ['physician'])
  admin = await signIn(signing, 'ada', ['administrator'])
  compliance = await signIn(signing, 'cora', ['compliance'])
}, 120_000)
afterAll(async () => {
  await ground.end()
  await office.shut()
})

const pool = (): pg.Pool => ground.rooms().engine.db.pool
const patience = { timeout: 60_000, interval: 100 }

test('phi at rest > what is entered by every door is afterwards found in no file, column, log, metric, mail or refusal', async () => {
  const subject = await chart()
  await devices(subject)
  await work(subject)
  await offices(subject)
  await record(subject)
  await refusals()
  await expect.poll(() => office.mails.length, patience).toBeGreaterThan(0)

  // What a task of a person is about stands in no row beside it: it is read from the rule of its alert.
  const titled = `select from tenant.notification_intent where task_id is not null and title <> ''`
  expect((await pool().query(titled)).rowCount).toBe(0)
  haystack.search('metrics', await (await fetch(`http://127.0.0.1:${ground.server.http}/metrics`)).text())
  for (const { raw } of office.mails) haystack.search('mail', raw)
  expect(await searchColumns(pool(), haystack)).toBeGreaterThan(60)
  // All is on the disk, WAL and dead rows too, and the server still runs: as a stolen disk would be.
  await pool().query('checkpoint')
  expect(haystack.searchFolder(`${ground.server.dir}/data`)).toBeGreaterThan(30 * 1024 * 1024)
  haystack.search('output of the server', ground.server.output())
  expect(ground.server.output().length).toBeGreaterThan(1000)
  expect(haystack.hits).toEqual([])
}, 180_000)

test('phi at rest > the same search finds a word that was planted in a column, and in the write-ahead log after the table is gone', async () => {
  const planted = 'Planted-Wintergoldhähnchen'
  const own = makeHaystack([{ name: 'planted', value: planted }])
  const { tenant } = ground.clinic
  await pool().query(`create table tenant.planted (tenant_id uuid, words text, bytes bytea)`)
  await pool().query(`insert into tenant.planted values ($1, $2, $3)`, [tenant, planted, Buffer.from(planted)])
  await searchColumns(pool(), own)
  await pool().query('drop table tenant.planted')
  await pool().query('checkpoint')
  own.searchFolder(`${ground.server.dir}/data/postgres/cluster/pg_wal`)
  const where = own.hits.map((hit) => hit.where)
  expect(where).toContain('table tenant.planted')
  expect(where.some((each) => each.startsWith('file '))).toBe(true)
}, 120_000)

// ---------------------------------------------------------------- what is put in

/** The record by FHIR: written, changed, patched, conditioned on, searched, refused; ids that the client chose. */
async function record(subject: string): Promise<void> {
  const at = `/fhir/R4/Observation/${w.fhirId}`
  const observation = {
    ...{ resourceType: 'Observation', id: w.fhirId, status: 'final', code: { text: 'How she was found' } },
    ...{ subject: { reference: `Patient/${subject}`, display: w.family }, note: [{ text: w.fhirNote }] },
    identifier: [{ system: 'urn:oid:1.2.3', value: w.fhirIdentifier }],
  }
  await nurse.ask('PUT', at, observation)
  await nurse.ask('PUT', at, { ...observation, status: 'amended' })
  await nurse.ask('GET', at)
  await nurse.ask('GET', `/fhir/R4/Patient?family=${encodeURIComponent(w.fhirSearched)}`)
  await nurse.ask('GET', `/fhir/R4/Observation?identifier=urn:oid:1.2.3|${w.fhirIdentifier}`)
  await nurse.ask('PUT', `/fhir/R4/Observation?identifier=${w.fhirIdentifier}`, observation)
  const wrong = { ...observation, id: `${w.fhirId}.2`, status: w.fhirRefused }
  await nurse.ask('PUT', `${at}.2`, wrong, [422])
}

/** A patient who is taken in, found, changed and enrolled. */
async function chart(): Promise<string> {
  const resource = {
    resourceType: 'Patient',
    identifier: [{ system: 'urn:oid:2.16.840.1.113883.19.5', value: w.mrn }],
    name: [{ family: w.family, given: [w.given] }],
    telecom: [
      { system: 'phone', value: w.phone },
      { system: 'email', value: w.email },
    ],
    address: [{ line: [w.street], city: w.city }],
    birthDate: w.birthDate,
  }
  // Of a team that the stranger is not in: she has to break the glass.
  const { id: team } = await ground.rooms().subjects.createCareTeam(ground.clinic.by, {
    ...{ name: 'Ward 3', members: [nurse.id, physician.id] },
  })
  const made = await nurse.ask('POST', '/api/v1/subjects', { timeZone: 'Europe/Vienna', team, resource })
  const { id } = made.body as unknown as { id: string }
  const again = { timeZone: 'Europe/Vienna', team, version: 1, resource: { ...resource, id, active: true } }
  await nurse.ask('PUT', `/api/v1/subjects/${id}`, again)
  for (const search of [
    { text: w.family, limit: 5 },
    { text: w.searched, limit: 5 },
    { identifier: { system: 'urn:oid:2.16.840.1.113883.19.5', value: w.mrn }, limit: 5 },
  ])
    await nurse.ask('POST', '/api/v1/subjects/search', search)
  await nurse.ask('POST', `/api/v1/subjects/${id}/enrolments`, {
    ...{ program: 'hypertension-rpm', owner: nurse.id, backup: physician.id, from: Date.now() - 3_600_000 },
  })
  return id
}

/** Readings by HTTP, MQTT and hand; what cannot be read; what a device says of itself; a corrected history. */
async function devices(subject: string): Promise<void> {
  const { fleet } = ground.rooms()
  const { by } = ground.clinic
  const { id } = await fleet.enrolDevice(by, { name: 'cuff-at-rest', profile: 'generic', classification: 'medical' })
  await fleet.assign(by, id, subject, Date.now() - 3_600_000)
  const { token } = await fleet.createDeviceToken(by, id, {})
  const post = (body: string) =>
    fetch(`http://127.0.0.1:${ground.server.http}/api/v1/ingest`, {
      method: 'POST',
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      body,
    })
  const severe = JSON.stringify({ ts: Date.now() - 1000, values: { systolic: 196, diastolic: 118 } })
  expect((await post(severe)).status).toBe(202)
  for (const wrong of [`{"patient":"${w.frame}"}`, w.frame, JSON.stringify({ values: { [w.frame]: 1 } })]) {
    const refused = await post(wrong)
    haystack.search(`body of ${refused.status}`, await refused.text())
  }
  const client = await connectAsync(`mqtt://127.0.0.1:${ground.server.mqtt}`, {
    ...{ clientId: 'cuff-at-rest', username: token, protocolVersion: 5 },
  })
  await client.publishAsync('devices/cuff-at-rest/attributes', JSON.stringify({ note: w.attribute }), { qos: 1 })
  const refused = client.publishAsync('devices/cuff-at-rest/telemetry', w.frame, { qos: 1 })
  await refused.catch((error: Error) => haystack.search('MQTT refusal', String(error.message)))
  await client.endAsync()
  await nurse.ask(
    'POST',
    '/api/v1/readings',
    {
      ...{ subject, measuredAt: Date.now() - 60_000 },
      values: [{ signal: 'pulse-rate', value: 71, unit: '/min' }],
    },
    [201, 422],
  )
  const { spans } = await fleet.assignmentHistory(by, id)
  const edits = [{ edit: 'change' as const, assignment: spans[0]!.id, from: spans[0]!.from - 60_000 }]
  await fleet.correctAssignment(by, id, { reason: w.correction, edits })
}

/** A task that is handed on and completed, a limit of her own, time spent. */
async function work(subject: string): Promise<void> {
  const sql = `select id from tenant.task where subject_id = $1 and status <> 'completed'`
  const open = async () => (await pool().query<{ id: string }>(sql, [subject])).rows[0]?.id
  await expect.poll(open, patience).toBeDefined()
  const task = await open()
  await nurse.ask('POST', `/api/v1/tasks/${task}/claim`, {})
  await nurse.ask('GET', `/api/v1/tasks/${task}`)
  await nurse.ask('POST', `/api/v1/tasks/${task}/hand-off`, { to: physician.id, note: w.handOff })
  await physician.ask('POST', `/api/v1/tasks/${task}/claim`, {})
  await physician.ask('POST', `/api/v1/tasks/${task}/complete`, { disposition: 'treatment-changed', note: w.outcome })
  const { rules } = (await physician.ask('GET', `/api/v1/subjects/${subject}/rules`)).body as unknown as SubjectRules
  const { rule, thresholds } = rules.find((each) => each.thresholds.some(({ part }) => part === 'when'))!
  const { part, index, limit, ucum: unit, comparator } = thresholds.find((each) => each.part === 'when')!
  await physician.ask('POST', `/api/v1/subjects/${subject}/overrides`, {
    ...{ rule: rule.id, reason: w.override, expiresAt: Date.now() + 86_400_000 },
    limits: [{ part, index, limit: comparator.startsWith('>') ? limit + 1 : limit - 1, unit }],
  })
  const at = Date.now()
  await nurse.ask('PUT', `/api/v1/activities/${randomUUID()}`, {
    ...{ subject, from: at - 120_000, to: at - 1000, kind: 'caregiver-contact', contact: 'live-phone' },
    ...{ note: w.activity, ended: true, source: 'entered' },
  })
  for (const what of ['alerts', 'series', 'latest', 'enrolments', 'activities'])
    await nurse.ask('GET', `/api/v1/subjects/${subject}/${what}?from=${at - 3_600_000}&to=${at}`, undefined, [200, 400])
}

/** Consent and its withdrawal, emergency access, a legal hold, a proposal to erase. */
async function offices(subject: string): Promise<void> {
  const consent = await physician.ask('POST', `/api/v1/subjects/${subject}/consents`, {
    ...{ decision: 'deny', grantee: { kind: 'research', id: 'study-1' } },
    verification: { how: 'signed-paper', note: w.consent },
  })
  const { id } = consent.body as unknown as { id: string }
  await physician.ask('POST', `/api/v1/subjects/${subject}/consents/${id}/withdraw`, { reason: w.withdrawal })
  await stranger.ask('POST', '/api/v1/break-glass', {
    ...{ patient: { name: `${w.given} ${w.family}`, birthDate: w.birthDate }, reason: 'emergency', words: w.emergency },
  })
  await stranger.ask(
    'POST',
    '/api/v1/break-glass',
    {
      ...{ patient: { identifier: { value: w.searched } }, reason: 'covering', words: w.emergency },
    },
    [404, 409, 422],
  )
  const hold = await compliance.ask('POST', `/api/v1/subjects/${subject}/legal-holds`, { reason: w.hold })
  await compliance.ask('POST', `/api/v1/legal-holds/${(hold.body as unknown as { id: string }).id}/release`, {
    reason: w.hold,
  })
  await compliance.ask('POST', `/api/v1/subjects/${subject}/erasure`, { basis: 'request', reason: w.erasure })
  const state = await admin.ask('GET', `/api/v1/subjects/${subject}/erasure`)
  expect(state.text).toContain(w.erasure)
}

/** What is refused is not repeated: not in answers, and not in logs. */
async function refusals(): Promise<void> {
  const bad: readonly (readonly [string, string, unknown])[] = [
    ['POST', '/api/v1/subjects', { timeZone: w.family, resource: { resourceType: w.searched } }],
    ['POST', '/api/v1/subjects', { timeZone: 'Europe/Vienna', resource: { resourceType: 'Patient', name: w.family } }],
    ['POST', '/api/v1/subjects/search', { text: 7, [w.family]: w.mrn }],
    ['POST', '/api/v1/subjects/search', { identifier: { system: w.mrn, value: [w.mrn] } }],
    ['PUT', `/api/v1/activities/${randomUUID()}`, { note: w.activity }],
  ]
  for (const [method, path, body] of bad) await nurse.ask(method, path, body, [400, 404, 409, 422])
  // Where nothing of a person belongs and a hurried hand still puts it.
  for (const word of [w.family, w.mrn, w.phone])
    await nurse.ask('GET', `/api/v1/subjects/${encodeURIComponent(word)}`, undefined, [400, 404, 422])
  await nurse.ask('GET', `/api/v1/subjects?text=${encodeURIComponent(w.family)}`, undefined, [200, 400, 422])
}

// ---------------------------------------------------------------- where it is looked for

/** Nothing is compressed away from the search, neither in its row nor beside it. */
async function storeUncompressed(database: pg.Pool): Promise<void> {
  const { rows } = await database.query<{ sql: string }>(
    `select format('alter table %s alter column %I set storage external', a.attrelid::regclass, a.attname) as sql
       from pg_attribute a join pg_class c on c.oid = a.attrelid join pg_namespace n on n.oid = c.relnamespace
      where n.nspname in ('tenant', 'engine', 'auth', 'pgboss') and c.relkind in ('r', 'p') and a.attnum > 0
        and not a.attisdropped and a.attstorage in ('x', 'm')`,
  )
  expect(rows.length).toBeGreaterThan(100)
  for (const { sql } of rows) await database.query(sql)
}

/** Every row of every table of every schema of ours, as text: bytes show as hexadecimal. @returns how many tables */
async function searchColumns(database: pg.Pool, into: Haystack): Promise<number> {
  const { rows } = await database.query<{ name: string }>(
    `select format('%I.%I', schemaname, tablename) as name from pg_tables
      where schemaname not in ('pg_catalog', 'information_schema')`,
  )
  for (const { name } of rows) {
    const { rows: lines } = await database.query<{ line: string }>(`select t::text as line from ${name} t`)
    into.search(`table ${name}`, lines.map(({ line }) => line).join('\n'))
  }
  return rows.length
}
