/** What row-level security, sealing and indexes promise for the tables of subjects and fleet, asked of the database itself. */
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { TenantTx } from '../engine/index.ts'
import { type TestEngine, testEngine } from '../engine/testing/index.ts'
import { aPatient, byTest, mrnSystem, testSubjects } from '../subjects/fixtures.ts'
import type { By, Subject, Subjects } from '../subjects/index.ts'
import { aDevice, enrolled, testFleet } from './fixtures.ts'
import type { Fleet } from './fleet.ts'

let ground: TestEngine
let subjects: Subjects
let fleet: Fleet
let mine: By
let theirs: By
beforeAll(async () => {
  ground = await testEngine()
  subjects = testSubjects(ground.engine)
  fleet = testFleet(ground.engine)
  mine = byTest(await ground.tenant())
  theirs = byTest(await ground.tenant())
})
afterAll(() => ground?.stop())

const refused = (code: string) => expect.objectContaining({ code })
const asTenant = <T>(by: By, fn: (tx: TenantTx) => Promise<T>) => ground.engine.db.asTenant(by.tenant, fn)

const tenantTables = async (): Promise<string[]> => {
  const { rows } = await ground.engine.db.pool.query<{ name: string }>(
    `select table_name as name from information_schema.tables
      where table_schema = 'tenant' and table_type = 'BASE TABLE' order by 1`,
  )
  return rows.map((row) => row.name)
}
const ours = ['subject', 'subject_identifier', 'site', 'care_team', 'care_team_member', 'enrolment'].concat([
  'device',
  'gateway',
  'device_credential',
  'assignment',
  'device_status',
])

/** One row in every table of both rooms, with canaries in all that people type. */
async function oneOfEach(by: By) {
  const site = await subjects.createSite(by, { name: 'North', timeZone: 'UTC' })
  const team = await subjects.createCareTeam(by, { name: 'Hearts', members: ['nora'] })
  const patient = await subjects.create(by, { ...aPatient({ mrn: 'MRN-CANARY-55501' }), site: site.id, team: team.id })
  const enrolment = await subjects.enrol(by, patient.id, { program: 'falls', owner: 'nora' })
  const gateway = await fleet.enrolGateway(by, { name: 'gw' })
  const { device, token, credential } = await enrolled(fleet, by, { manufacturer: 'CanaryWorks', gateway: gateway.id })
  await fleet.setSettings(by, device, { greeting: 'Hello Kunigunde' })
  const worn = await fleet.assign(by, device, patient.id, ground.engine.clock.now() - 1000)
  await fleet.correctAssignment(by, device, {
    reason: 'Kunigunde swapped with Adelgunde',
    edits: [{ edit: 'change', assignment: worn.id, from: worn.from - 1000 }],
  })
  return { site, team, patient, enrolment, gateway, device, token, credential, worn }
}

test('isolation > another organisation sees nothing of mine and cannot touch it, whatever id it knows', async () => {
  const my = await oneOfEach(mine)
  await asTenant(theirs, async (tx) => {
    for (const table of ours) {
      const { rows } = await tx.client.query(`select count(*)::int as n from tenant.${table}`)
      expect([table, rows]).toEqual([table, [{ n: 0 }]])
    }
  })
  expect(await subjects.find(theirs.tenant, 'kunigunde')).toEqual([])
  expect(await subjects.search(theirs, { ids: [my.patient.id], limit: 10 })).toEqual([])
  expect((await subjects.names(theirs.tenant, [my.patient.id])).size).toBe(0)
  await expect(subjects.subject(theirs, my.patient.id)).rejects.toEqual(refused('subject-not-found'))
  await expect(subjects.endEnrolment(theirs, my.enrolment.id, null)).rejects.toEqual(refused('enrolment-not-found'))
  await expect(fleet.device(theirs, my.device)).rejects.toEqual(refused('device-not-found'))
  await expect(fleet.settings(theirs.tenant, my.device)).rejects.toEqual(refused('device-not-found'))
  await expect(fleet.createDeviceToken(theirs, my.device, {})).rejects.toEqual(refused('device-not-found'))
  await expect(fleet.revokeCredential(theirs, my.device, my.credential)).rejects.toEqual(
    refused('credential-not-found'),
  )
  await expect(fleet.assign(theirs, my.device, my.patient.id, null)).rejects.toEqual(refused('device-not-found'))
  expect(await fleet.whoWears(theirs.tenant, my.device, my.worn.from)).toBeNull()
})

test('isolation > its device cannot be put on my patient, not even by its own SQL', async () => {
  const patient: Subject = await subjects.create(mine, aPatient())
  const { id: device } = await fleet.enrolDevice(theirs, aDevice())
  await expect(fleet.assign(theirs, device, patient.id, null)).rejects.toEqual(refused('subject-not-found'))
  const insert = (values: string) =>
    asTenant(theirs, (tx) =>
      tx.client.query(`insert into tenant.assignment
        (tenant_id, id, version, device_id, subject_id, from_at, recorded_at, recorded_by) values (${values})`),
    )
  const id = ground.engine.ids.uuid()
  await expect(
    insert(`'${theirs.tenant}', '${id}', 1, '${device}', '${patient.id}', 1, 1, 'cli'`),
  ).rejects.toMatchObject({ code: '23503' })
  await expect(insert(`'${mine.tenant}', '${id}', 1, '${device}', '${patient.id}', 1, 1, 'cli'`)).rejects.toMatchObject(
    {
      code: '42501',
    },
  )
})

test('isolation > what doors look up is out of the reach of tenants, and a tenant cannot revoke for another', async () => {
  const { device, credential } = await enrolled(fleet, mine)
  for (const table of ['device_credential', 'device_directory'])
    await expect(asTenant(mine, (tx) => tx.client.query(`select * from engine.${table}`))).rejects.toMatchObject({
      code: '42501',
    })
  await asTenant(theirs, (tx) => tx.client.query('select engine.revoke_credential($1, 5)', [credential]))
  const { rows } = await ground.engine.db.pool.query(
    'select device_id, revoked_at from engine.device_credential where credential_id = $1',
    [credential],
  )
  expect(rows).toEqual([{ device_id: device, revoked_at: null }])
})

test('sealing > no column of any table holds a name, a number, an address, a serial, a reason or a token', async () => {
  const by = byTest(await ground.tenant())
  const { token, patient, device } = await oneOfEach(by)
  expect(
    await subjects.search(by, { identifier: { system: mrnSystem, value: 'MRN-CANARY-55501' }, limit: 5 }),
  ).toHaveLength(1)
  expect(await subjects.search(by, { text: 'Zwölfaxinger', limit: 5 })).toHaveLength(1)
  expect(await fleet.assignmentHistory(by, device)).toMatchObject({ superseded: [{ reason: expect.any(String) }] })
  await subjects.create(by, { ...aPatient({ mrn: 'MRN-CANARY-55501' }) }).catch(() => {})
  const canaries = [
    'kunigunde',
    'zwölfaxinger',
    'zwolfaxinger',
    '1947-02-11',
    'mrn-canary',
    '55501',
    '7788990',
    'zwoelf@',
  ].concat(['obstgartlweg', 'gänserndorf', 'ser-99-qx7', 'canaryworks', 'adelgunde', token.slice(4).toLowerCase()])
  const { rows: columns } = await ground.engine.db.pool.query<{ name: string; column: string }>(
    `select format('%I.%I', table_schema, table_name) as name, column_name as column from information_schema.columns
       join information_schema.tables using (table_schema, table_name)
      where table_schema in ('tenant', 'engine', 'auth') and table_type = 'BASE TABLE'`,
  )
  let rowsSeen = 0
  for (const [table, ofTable] of Map.groupBy(columns, (each) => each.name)) {
    // Bytes as they would be read by a thief: each byte one character, so that UTF-8 text in them shows.
    const texts = ofTable.map(({ column }) => `"${column}"`).join(', ')
    const { rows } = await ground.engine.db.pool.query<Record<string, unknown>>(`select ${texts} from ${table}`)
    rowsSeen += rows.length
    for (const row of rows)
      for (const [column, value] of Object.entries(row)) {
        const text = Buffer.isBuffer(value)
          ? value.toString()
          : value === null
            ? ''
            : typeof value === 'object'
              ? JSON.stringify(value)
              : String(value)
        const found = canaries.filter((canary) => text.toLowerCase().includes(canary))
        expect([table, column, found]).toEqual([table, column, []])
      }
  }
  expect(rowsSeen).toBeGreaterThan(20)
  expect(patient.display).toContain('Kunigunde')
})

test('sealing > a body or a part copied to another row does not open', async () => {
  const by = byTest(await ground.tenant())
  const [one, two] = [await subjects.create(by, aPatient()), await subjects.create(by, aPatient())]
  await asTenant(by, (tx) =>
    tx.client.query(
      `update tenant.subject s set body = o.body, key_id = o.key_id from tenant.subject o where s.id = $1 and o.id = $2`,
      [one.id, two.id],
    ),
  )
  await expect(subjects.subject(by, one.id)).rejects.toEqual(refused('seal-broken'))
  const [first, second] = [await fleet.enrolDevice(by, aDevice()), await fleet.enrolDevice(by, aDevice())]
  await asTenant(by, (tx) =>
    tx.client.query(
      `update tenant.device d set settings = o.settings from tenant.device o where d.id = $1 and o.id = $2`,
      [first.id, second.id],
    ),
  )
  await expect(fleet.settings(by.tenant, first.id)).rejects.toEqual(refused('seal-broken'))
})

test('indexes > as careloop_app, under row-level security, each look-up finds its index', async () => {
  const id = ground.engine.ids.uuid()
  // Which index the planner takes is its own affair; that the columns stand in the index condition is ours.
  const lookups: readonly (readonly [columns: readonly string[], sql: string])[] = [
    [['id'], `select * from tenant.subject where id = '${id}'`],
    [['touched'], `select * from tenant.subject where touched >= 990`],
    [['site_id'], `select id from tenant.subject where site_id = '${id}'`],
    [['team_id'], `select id from tenant.subject where team_id = '${id}'`],
    [['system', 'hmac'], `select subject_id from tenant.subject_identifier where system = 'urn:a' and hmac = '\\x01'`],
    [['subject_id'], `select * from tenant.enrolment where subject_id = '${id}' order by from_at`],
    [['id'], `select * from tenant.device where id = '${id}'`],
    [['name'], `select id from tenant.device where name = 'x'`],
    [['address_hmac'], `select id from tenant.device where address_hmac = '\\x00'`],
    [
      ['device_id'],
      `select * from tenant.assignment where device_id = '${id}' and superseded_at is null order by from_at`,
    ],
    [['subject_id'], `select device_id from tenant.assignment where subject_id = '${id}' and superseded_at is null`],
    [['device_id'], `select * from tenant.device_credential where device_id = '${id}' order by id`],
    [['device_id'], `select * from tenant.device_status where device_id = '${id}'`],
  ]
  const by = byTest(await ground.tenant())
  await fill(by)
  await asTenant(by, async (tx) => {
    const { rows } = await tx.client.query('select current_user as role')
    expect(rows).toEqual([{ role: 'careloop_app' }])
    for (const [columns, sql] of lookups) {
      const plan = await tx.client.query<{ 'QUERY PLAN': string }>(`explain (costs off) ${sql}`)
      const text = plan.rows.map((row) => row['QUERY PLAN']).join('\n')
      const condition = /Index Cond: (.*)/.exec(text)?.[1] ?? ''
      const isIn = columns.map((column) => new RegExp(`\\(${column} (=|>=) `).test(condition))
      expect([text, isIn]).toEqual([text, columns.map(() => true)])
    }
  })
})

/** Rows enough, in two organisations, that the planner has a reason to choose. */
async function fill(by: By): Promise<void> {
  for (const { tenant } of [by, byTest(await ground.tenant())])
    await ground.engine.db.asEngine(async ({ client }) => {
      await client.query(`set local careloop.tenant = '${tenant}'`)
      const statements = `
        insert into tenant.site (id, name, time_zone, created_at) select gen_random_uuid(), 's' || n, 'UTC', 0 from generate_series(1, 50) n;
        insert into tenant.care_team (id, name, created_at) select gen_random_uuid(), 't' || n, 0 from generate_series(1, 50) n;
        insert into tenant.subject (id, kind, time_zone, site_id, team_id, key_id, body, version, created_at, updated_at, touched)
          select gen_random_uuid(), (array['patient', 'asset', 'location'])[1 + n % 3], 'UTC',
                 (select id from tenant.site where tenant_id = '${tenant}' and name = 's' || (1 + n % 50)),
                 (select id from tenant.care_team where tenant_id = '${tenant}' and name = 't' || (1 + n % 50)),
                 gen_random_uuid(), '', 1, 0, 0, n
            from generate_series(1, 1000) n;
        insert into tenant.subject_identifier (subject_id, system, hmac, is_unique)
          select id, 'urn:a', uuid_send(id), true from tenant.subject where tenant_id = '${tenant}';
        insert into tenant.enrolment (id, subject_id, program, owner_id, from_at, created_at)
          select gen_random_uuid(), id, 'falls', 'nora', 0, 0 from tenant.subject where tenant_id = '${tenant}';
        insert into tenant.device (id, name, classification, profile, identity, settings, enrolled_at)
          select id, 'd' || id, 'medical', 'generic', '', '', 0 from tenant.subject where tenant_id = '${tenant}';
        insert into tenant.device_status (device_id, connected, reported_at, attributes)
          select id, true, 0, '' from tenant.device where tenant_id = '${tenant}';
        insert into tenant.device_credential (id, device_id, kind, created_at)
          select gen_random_uuid(), id, 'token', 0 from tenant.device where tenant_id = '${tenant}';
        insert into tenant.assignment (id, version, device_id, subject_id, from_at, recorded_at, recorded_by)
          select gen_random_uuid(), 1, id, id, 0, 0, 'cli' from tenant.device where tenant_id = '${tenant}'`
      for (const statement of statements.split(';')) await client.query(statement)
    })
  await ground.engine.db.pool.query(`analyze ${ours.map((table) => `tenant.${table}`).join(', ')}`)
}

test('tables > every table of both rooms has its row here', async () => {
  expect(await tenantTables()).toEqual(expect.arrayContaining(ours))
})
