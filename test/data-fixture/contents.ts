/**
 * What a kept data directory holds, and how it is read back. `write` runs once, with the code of the day on which the fixture is
 * made; `read` runs with every later code and must give what it gave then. Add to the list; a fixture that was made before
 * knows nothing of the new name and is not asked for it.
 */

import { createHash } from 'node:crypto'
import type { LogEntry } from '@careloop/contract'
import { profile } from '@careloop/profiles'
import type { Engine } from '../../packages/platform/src/engine/index.ts'
import { ensureCa, type Fleet, makeFleet } from '../../packages/platform/src/fleet/index.ts'
import { makeQuarantine } from '../../packages/platform/src/ingest/index.ts'
import { quarantineStage } from '../../packages/platform/src/ingest/stages.ts'
import { byConsole, makeSubjects } from '../../packages/platform/src/subjects/index.ts'
import { readSeries } from '../../packages/platform/src/telemetry/index.ts'
import { telemetryStage } from '../../packages/platform/src/telemetry/stages.ts'

export interface Content {
  readonly name: string
  write(engine: Engine): Promise<void>
  /** @returns what survives JSON: strings, numbers, arrays, plain objects */
  read(engine: Engine): Promise<unknown>
}

const TENANT = '0190a000-0000-7000-8000-000000000001'
const DEVICE = '0190a000-0000-7000-8000-000000000002'
const ASSIGNMENT = '0190a000-0000-7000-8000-000000000003'
const SUBJECT = '0190a000-0000-7000-8000-000000000004'
const NOON = Date.UTC(2026, 0, 1, 12)

export const contents: readonly Content[] = [
  {
    name: 'tenant',
    async write(engine) {
      await engine.db.pool.query('insert into engine.tenant (id, name) values ($1, $2)', [TENANT, 'kept clinic'])
    },
    read: (engine) => engine.db.tenants().then((ids) => ids.filter((id) => id === TENANT)),
  },
  {
    name: 'reading log',
    async write(engine) {
      await engine.log.append([reading(0), reading(1)])
      await engine.log.append([reading(2)])
    },
    async read(engine) {
      const commits = await engine.log.read(0, 0, 1000)
      return JSON.parse(
        JSON.stringify(
          commits.flatMap((commit) => commit.entries),
          bytesAsHex,
        ),
      )
    },
  },
  {
    name: 'fact and cursor',
    async write(engine) {
      await engine.db.asEngine(async (tx) => {
        await tx.publish(TENANT, { type: 'DeviceEnrolled', device: DEVICE })
        await engine.db.moveCursor(tx, 'kept', '0', '3')
      })
    },
    async read(engine) {
      const facts = await engine.db.readFacts('0', 100)
      return [await engine.db.cursor('kept'), facts.filter((fact) => fact.tenant === TENANT).map((fact) => fact.body)]
    },
  },
  {
    name: 'key',
    async write(engine) {
      await engine.keys.keyFor('subject', SUBJECT)
    },
    // The same key opens what was sealed and finds what was indexed then.
    read: async (engine) => (await engine.keys.hmac(TENANT, 'mrn', 'kept-1')).toString('hex'),
  },
  {
    name: 'subject',
    async write(engine) {
      const site = await subjectsOf(engine).createSite(BY, { name: 'Kept site', timeZone: 'Europe/Vienna' })
      await subjectsOf(engine).create(BY, {
        timeZone: 'Europe/Vienna',
        site: site.id,
        resource: {
          resourceType: 'Patient',
          identifier: [{ system: 'urn:kept', value: 'MRN-KEPT' }],
          name: [{ family: 'Kept', given: ['Keziah'] }],
          birthDate: '1940-02-29',
        },
      })
    },
    async read(engine) {
      const [found] = await subjectsOf(engine).search(BY, {
        identifier: { system: 'urn:kept', value: 'MRN-KEPT' },
        limit: 1,
      })
      return (await subjectsOf(engine).subject(BY, found!.id)).resource
    },
  },
  {
    name: 'device, wearer and token',
    async write(engine) {
      const fleet = await fleetOf(engine)
      const { items } = await subjectsOf(engine).list(BY, { limit: 1 })
      const device = await fleet.enrolDevice(BY, { name: 'kept-cuff', profile: 'generic', classification: 'medical' })
      await fleet.assign(BY, device.id, items[0]!.id, NOON)
      const { token } = await fleet.createDeviceToken(BY, device.id, {})
      const digest = createHash('sha256').update(token).digest('hex')
      await fleet.setSettings(BY, device.id, { intervalSeconds: 60, digest })
    },
    async read(engine) {
      const fleet = await fleetOf(engine)
      const device = await keptDevice(engine)
      const { settings } = await fleet.settings(TENANT, device)
      const speaker = await fleet.attribution.identityByTokenHash(Buffer.from(String(settings.digest), 'hex'))
      return [settings, speaker?.name, (await fleet.whoWears(TENANT, device, NOON + 1))?.from]
    },
  },
  {
    name: 'sealed chunk and open segment',
    async write(engine) {
      const fleet = await fleetOf(engine)
      const device = await keptDevice(engine)
      const { id: assignment, subject } = (await fleet.whoWears(TENANT, device, NOON + 1))!
      const entry = (index: number) => ({ ...reading(index), device, assignment, subject }) as LogEntry
      await engine.log.append(Array.from({ length: 200 }, (_, i) => entry(i)))
      await untilTrue(engine, 'select count(*) > 0 as done from engine.chunk', 0)
      await engine.log.append([entry(500)])
      await untilTrue(engine, 'select count(*) > 0 as done from engine.sample', 3_600_000)
    },
    async read(engine) {
      const { subject } = (await (await fleetOf(engine)).whoWears(TENANT, await keptDevice(engine), NOON + 1))!
      const question = { tenant: TENANT, subject, from: 0, to: NOON * 2, maxPoints: 1000 }
      const { series } = await readSeries(engine, question)
      return series.flatMap((one) => one.readings.map(({ measuredAt, value }) => [one.signal, measuredAt, value]))
    },
  },
  {
    name: 'quarantined frame',
    async write(engine) {
      await engine.log.append([
        {
          kind: 'quarantined',
          id: '0190a000-0000-7000-8000-000000000009',
          tenant: TENANT,
          door: 'mqtt',
          receivedAt: NOON,
          reason: 'bad-frame',
          pointer: '/values',
          message: 'kept',
          frame: { format: 'json', bytes: Buffer.from('kept bytes') },
        },
      ])
      const stop = await quarantineStage.start(engine)
      for (let i = 0; i < 200 && (await (await quarantineOf(engine)).counts(TENANT)).length === 0; i++)
        await engine.clock.sleep(50)
      await stop()
    },
    async read(engine) {
      const [held] = await (await quarantineOf(engine)).list(BY, { limit: 10 })
      const { bytes } = await (await quarantineOf(engine)).frame(BY, held!.id)
      return [held!.reason, held!.pointer, held!.message, bytes?.toString()]
    },
  },
  {
    name: 'certificate authority',
    write: async (engine) => void (await ensureCa(engine)),
    read: async (engine) => (await ensureCa(engine)).pem,
  },
]

const BY = byConsole(TENANT)

const subjectsOf = (engine: Engine) => makeSubjects(engine, async () => [])

async function fleetOf(engine: Engine): Promise<Fleet> {
  return makeFleet(engine, {
    knowsProfile: (code) => profile(code) !== undefined,
    issueCertificate: () => Promise.reject(new Error('no certificate is asked for here')),
    verifyCertificate: () => {
      throw new Error('no certificate is asked for here')
    },
  })
}

const quarantineOf = async (engine: Engine) =>
  makeQuarantine({ engine, attribution: (await fleetOf(engine)).attribution })

async function keptDevice(engine: Engine): Promise<string> {
  const { items } = await (await fleetOf(engine)).listDevices(BY, { limit: 10 })
  return items.find((device) => device.name === 'kept-cuff')!.id
}

/** Runs telemetry until a question is answered with true. */
async function untilTrue(engine: Engine, sql: string, sealAfterMs: number): Promise<void> {
  const stop = await telemetryStage({ flushAfterMs: 5, sealAfterMs, leaseMs: 2000 }).start(engine)
  for (let i = 0; i < 400; i++) {
    const { rows } = await engine.db.pool.query<{ done: boolean }>(sql)
    if (rows[0]?.done) return stop()
    await engine.clock.sleep(50)
  }
  await stop()
  throw new Error(`telemetry did not come to: ${sql}`)
}

function reading(index: number): LogEntry {
  return {
    kind: 'readings',
    tenant: TENANT,
    device: DEVICE,
    assignment: ASSIGNMENT,
    subject: SUBJECT,
    door: 'mqtt',
    receivedAt: NOON + index * 60_000,
    origin: 'automatic',
    sequence: index,
    frame: { format: 'json', bytes: new TextEncoder().encode(`{"values":{"heart-rate":${60 + index}}}`) },
    readings: [{ signal: 'heart-rate', value: 60 + index, measuredAt: NOON + index * 60_000, ordinal: 0 }],
  }
}

/** Buffer and Uint8Array write themselves to JSON in two ways; hex is one. */
function bytesAsHex(this: unknown, key: string, value: unknown): unknown {
  const raw = (this as Record<string, unknown>)[key]
  return raw instanceof Uint8Array ? Buffer.from(raw).toString('hex') : value
}
