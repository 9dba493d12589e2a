/** A person is erased by two people; the database is put back to before; they stay erased. */
import { cpSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { openErasures } from '../../packages/platform/src/app/erasures.ts'
import { asOwnService } from '../../packages/platform/src/subjects/fixtures.ts'
import type { By } from '../../packages/platform/src/subjects/index.ts'
import { measure, SEVERE } from './support/alerts.ts'
import { type Ground, type HttpDevice, openGround } from './support/ground.ts'

let ground: Ground
let device: HttpDevice
beforeAll(async () => {
  ground = await openGround()
  ;[one, other] = [by('staff:one'), by('staff:other')]
}, 120_000)
afterAll(() => ground.end())

const patience = { timeout: 30_000, interval: 100 }
const ledgerFile = () => join(ground.server.dir, 'master.key.erasures')
const by = (actor: string): By => ({ tenant: ground.clinic.tenant, actor })
let one: By
let other: By
const erasures = () => openErasures(ground.rooms().engine, ledgerFile())
const wanted = { basis: 'request' as const, reason: 'She asked for it in writing' }

const count = async (sql: string, ...values: unknown[]): Promise<number> => {
  const { rows } = await ground.rooms().engine.db.pool.query<{ n: number }>(`select count(*)::int as n ${sql}`, values)
  return rows[0]!.n
}

/** What of the subject stands in each place, as rows. */
async function remnants(subject: string) {
  return {
    identifiers: await count('from tenant.subject_identifier where subject_id = $1', subject),
    bodies: await count(`from tenant.subject where id = $1 and (body <> '' or erased_at is null)`, subject),
    keys: await count(`from engine.data_key where owner = $1 and wrapped is not null`, subject),
    enrolments: await count('from tenant.enrolment where subject_id = $1 and to_at is null', subject),
    worn: await count(
      'from tenant.assignment where subject_id = $1 and to_at is null and superseded_at is null',
      subject,
    ),
    alerts: await count(`from tenant.alert where subject_id = $1 and handling <> 'closed'`, subject),
    tasks: await count(`from tenant.task where subject_id = $1 and status <> 'completed'`, subject),
    readings: await count(
      'from engine.sample p join tenant.series s on s.id = p.series_id where s.subject = $1',
      subject,
    ),
    chunks: await count('from engine.chunk p join tenant.series s on s.id = p.series_id where s.subject = $1', subject),
    days: await count('from tenant.measurement_day where subject_id = $1', subject),
  }
}
const nothing = {
  ...{
    identifiers: 0,
    bodies: 0,
    keys: 0,
    enrolments: 0,
    worn: 0,
    alerts: 0,
    tasks: 0,
    readings: 0,
    chunks: 0,
    days: 0,
  },
}

/** What the server's own process finds by name. */
async function foundByName(token: string): Promise<number> {
  const response = await fetch(`http://127.0.0.1:${ground.server.http}/api/v1/subjects/search`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    body: JSON.stringify({ text: 'Story', limit: 10 }),
  })
  expect(response.status).toBe(200)
  return ((await response.json()) as { items: unknown[] }).items.length
}

test('erasure > proposed by one and approved by another, never under a legal hold, it leaves nothing readable anywhere', async () => {
  device = await ground.cuff()
  const { subject } = device
  await measure(ground, device, SEVERE)
  await expect.poll(() => count('from tenant.task where subject_id = $1', subject), patience).toBe(1)
  const { tenant } = ground.clinic
  const { id, token } = await ground
    .rooms()
    .identity.createServiceToken({ tenant, name: 'finder', scopes: ['subject:read'] })
  await asOwnService(ground.rooms().engine, tenant, id)
  expect(await foundByName(token)).toBe(1)

  await ground.letGo()
  await ground.server.stop()
  cpSync(join(ground.server.dir, 'data'), join(ground.server.dir, 'backup'), { recursive: true })
  await ground.server.start()
  await ground.reopen()

  const hold = await erasures().placeHold(one, subject, 'A court asked for the record')
  await expect(erasures().propose(one, subject, wanted)).rejects.toMatchObject({ code: 'subject-held' })
  const direct = ground.rooms().engine.db.pool.query('update tenant.subject set erased_at = 1 where id = $1', [subject])
  await expect(direct).rejects.toThrow('legal hold')
  await erasures().releaseHold(other, hold.id, 'The case is over')
  const proposed = await erasures().propose(one, subject, wanted)
  await expect(erasures().propose(other, subject, wanted)).rejects.toMatchObject({ code: 'erasure-proposed' })
  await expect(erasures().decide(one, proposed.id, 'approve')).rejects.toMatchObject({ code: 'erasure-needs-another' })
  const again = await erasures().placeHold(one, subject, 'Another court')
  await expect(erasures().decide(other, proposed.id, 'approve')).rejects.toMatchObject({ code: 'subject-held' })
  await erasures().releaseHold(other, again.id, 'Not needed')
  expect((await remnants(subject)).keys).toBe(1)

  expect(await erasures().decide(other, proposed.id, 'approve')).toMatchObject({ status: 'executed' })
  expect(await remnants(subject)).toEqual(nothing)
  await expect(ground.rooms().subjects.subject(other, subject)).rejects.toMatchObject({ code: 'subject-not-found' })
  await expect.poll(() => foundByName(token), patience).toBe(0)
  // Who did it, and that it was refused before, stays; why it was asked for is gone with the key.
  const acts = await ground
    .rooms()
    .engine.db.pool.query<{ what: string }>(
      `select principal_id || ' ' || action as what from tenant.audit_entry where subject_id = $1 and resource = 'erasure' order by id`,
      [subject],
    )
  expect(acts.rows.map(({ what }) => what)).toEqual(['one create', 'one denied', 'other denied', 'other execute'])
  const { erasures: [told] = [], erasedAt } = await erasures().state(one, subject)
  expect(told).toMatchObject({ status: 'executed', basis: 'request', decidedBy: 'staff:other' })
  expect(told).not.toHaveProperty('reason')
  expect(erasedAt).toBeGreaterThan(0)
}, 120_000)

test('erasure > readings that come late for who was erased are kept nowhere, and the evaluator goes on for others', async () => {
  // Measured while she still wore it: it is hers, and comes after she was erased.
  const late = await fetch(`http://127.0.0.1:${ground.server.http}/api/v1/ingest`, {
    method: 'POST',
    headers: { authorization: `Bearer ${device.token}`, 'content-type': 'application/json' },
    body: JSON.stringify({ ts: Date.now() - 600_000, values: SEVERE }),
  })
  expect(late.status).toBe(202)
  const another = await ground.cuff()
  await measure(ground, another, SEVERE)
  await expect.poll(() => count('from tenant.task where subject_id = $1', another.subject), patience).toBe(1)
  expect(await remnants(device.subject)).toEqual(nothing)
}, 60_000)

test('erasure > a database put back to before the erasure erases again before it opens a door, and refuses a ledger that was cut', async () => {
  const data = join(ground.server.dir, 'data')
  await ground.letGo()
  await ground.server.stop()
  rmSync(data, { recursive: true })
  cpSync(join(ground.server.dir, 'backup'), data, { recursive: true })

  const ledger = readFileSync(ledgerFile(), 'utf8')
  const changed = JSON.parse(ledger) as { entries: { at: number }[] }
  changed.entries[0]!.at += 1
  writeFileSync(ledgerFile(), JSON.stringify(changed))
  await expect(ground.server.start()).rejects.toThrow('ledger-broken')

  writeFileSync(ledgerFile(), ledger)
  await ground.server.start()
  await ground.reopen()
  expect(await remnants(device.subject)).toEqual(nothing)
  await expect(ground.rooms().engine.keys.keyFor('subject', device.subject)).rejects.toMatchObject({
    code: 'key-destroyed',
  })
  expect(ground.server.output()).toContain('1 erased record was in this database still')
}, 120_000)
