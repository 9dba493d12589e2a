/** An ingest room with one worn device, for tests of this and later rooms. */
import type { LogEntry, NewDeviceInput, ReadingsLogged } from '@careloop/contract'
import type { Engine } from '../engine/index.ts'
import { type TestEngine, testEngine } from '../engine/testing/index.ts'
import { enrolled, testFleet } from '../fleet/fixtures.ts'
import type { Fleet } from '../fleet/index.ts'
import { aPatient, byTest, testSubjects } from '../subjects/fixtures.ts'
import type { By } from '../subjects/index.ts'
import type { DeviceIdentity, Frame } from './door.ts'
import { type OpenIngest, openIngest } from './ingest.ts'

export interface IngestGround extends TestEngine {
  readonly by: By
  readonly fleet: Fleet
  readonly ingest: OpenIngest
  readonly subject: string
  readonly device: DeviceIdentity
  /** A further device with a wearer, unless said otherwise. */
  anotherDevice(worn?: boolean, over?: Partial<NewDeviceInput>): Promise<DeviceIdentity>
  /** A second process on the same database. */
  anotherProcess(): Promise<{ engine: Engine; ingest: OpenIngest }>
}

/** When devices of tests began to be worn: long before any reading. */
const SINCE = Date.UTC(2020, 0, 1)

export async function ingestGround(): Promise<IngestGround> {
  const ground = await testEngine()
  const { engine } = ground
  const by = byTest(await ground.tenant())
  const subject = (await testSubjects(engine).create(by, aPatient())).id
  const fleet = testFleet(engine)
  const anotherDevice = async (worn = true, over: Partial<NewDeviceInput> = {}) => {
    const { device, token } = await enrolled(fleet, by, over)
    if (worn) await fleet.assign(by, device, subject, SINCE)
    const { createHash } = await import('node:crypto')
    const speaker = await fleet.attribution.identityByTokenHash(createHash('sha256').update(token).digest())
    return speaker!
  }
  const device = await anotherDevice()
  await fleet.attribution.refresh()
  const ingest = await openIngest(engine, { attribution: fleet.attribution })
  return {
    ...ground,
    ...{ by, fleet, ingest, subject, device, anotherDevice },
    async anotherProcess() {
      const { engine: second } = ground.another()
      const { attribution } = testFleet(second)
      await attribution.refresh()
      await attribution.load(by.tenant, device.device)
      return { engine: second, ingest: await openIngest(second, { attribution }) }
    },
  }
}

/** A JSON message of a device. */
export function aFrame(device: DeviceIdentity, payload: unknown, over: Partial<Frame> = {}): Frame {
  const bytes = typeof payload === 'string' ? Buffer.from(payload) : Buffer.from(JSON.stringify(payload))
  return { kind: 'telemetry', device, door: 'mqtt', format: 'json', bytes, receivedAt: Date.now(), ...over }
}

/** Every entry of the log, oldest first. */
export async function logEntries(engine: Engine): Promise<LogEntry[]> {
  const entries: LogEntry[] = []
  for (let after = 0; ; ) {
    const commits = await engine.log.read(0, after, 1000)
    if (commits.length === 0) return entries
    for (const commit of commits) entries.push(...commit.entries)
    after = commits.at(-1)!.position
  }
}

export const readingsOf = (entries: readonly LogEntry[]): ReadingsLogged[] =>
  entries.filter((entry): entry is ReadingsLogged => entry.kind === 'readings')
