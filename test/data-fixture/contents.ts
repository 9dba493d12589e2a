/**
 * What a kept data directory holds, and how it is read back. `write` runs once, with the code of the day on which the fixture is
 * made; `read` runs with every later code and must give what it gave then. Add to the list; a fixture that was made before
 * knows nothing of the new name and is not asked for it.
 */
import type { LogEntry } from '@careloop/contract'
import type { Engine } from '../../packages/platform/src/engine/index.ts'

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
]

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
