/** For tests: a device's readings through the real log, telemetry and record, with time as the test says. */
import type { LogEntry, LoggedReading, ReadingsLogged } from '@careloop/contract'
import type { Resource } from '@careloop/fhir'
import type { ManualClock } from '../../engine/clock/manual-clock.ts'
import type { Engine, Lease } from '../../engine/index.ts'
import { type TestEngine, testEngine } from '../../engine/testing/index.ts'
import { aPatient, byTest } from '../../subjects/fixtures.ts'
import type { Subjects } from '../../subjects/index.ts'
import { logged, type Worn, worn } from '../../telemetry/fixtures.ts'
import { telemetryStage } from '../../telemetry/stages.ts'
import type { Clinical } from '../clinical.ts'
import { testClinical } from '../fixtures.ts'
import { observationMetrics } from './observation-metrics.ts'
import { ObservationWork, observationsCursor } from './observation-work.ts'
import { People } from './people.ts'

export interface ReadingsWorld {
  readonly ground: TestEngine
  readonly engine: Engine
  readonly tenant: string
  readonly clinical: Clinical
  readonly subjects: Subjects
  /** Somebody new who wears a device. */
  person(over?: Partial<Worn>): Promise<Worn>
  /** Appends what came in one message. */
  send(who: Worn, readings: readonly LoggedReading[], more?: Partial<ReadingsLogged>): Promise<void>
  append(...entries: LogEntry[]): Promise<void>
  /** Telemetry takes in what the log holds. */
  store(): Promise<void>
  /** A new holder works until nothing is left to do now. @param fault throws where it is to be killed */
  tell(fault?: (step: string) => void): Promise<void>
  /** All resources of the type of a subject, as they are served, oldest first. */
  record(subject: string, type?: string): Promise<Resource[]>
  texts(subject: string): Promise<string[]>
  stop(): Promise<void>
}

export async function readingsWorld(clock: ManualClock): Promise<ReadingsWorld> {
  const ground = await testEngine({ clock })
  const { engine } = ground
  const tenant = await ground.tenant()
  const { clinical, subjects } = testClinical(engine)
  const texts = async (subject: string, type?: string): Promise<string[]> =>
    engine.db.asTenant(tenant, async (tx) => {
      const { rows } = await tx.client.query<{ rid: string }>(
        `select rid from tenant.clinical_resource where tenant_id = $1 and subject_id = $2 and is_derived
            and ($3::text is null or type = $3) order by at, type, rid`,
        [tenant, subject, type ?? null],
      )
      const rids = rows.map(({ rid }) => rid)
      const found = await clinical.openAll(tx, rids)
      return rids.flatMap((rid) => found.get(rid)?.text ?? [])
    })
  return {
    ...{ ground, engine, tenant, clinical, subjects },
    person: async (over = {}) =>
      worn(tenant, { subject: (await subjects.create(byTest(tenant), aPatient())).id, ...over }),
    async send(who, readings, more = {}) {
      const frame = { format: 'json', bytes: Buffer.from(JSON.stringify(readings)) } as const
      await engine.log.append([logged(who, readings, { receivedAt: clock.now(), frame, ...more })])
    },
    append: async (...entries) => void (await engine.log.append(entries)),
    store: () => storeAll(engine, clock),
    tell: (fault) => tellAll(engine, clinical, fault),
    record: async (subject, type = 'Observation') =>
      (await texts(subject, type)).map((text) => JSON.parse(text) as Resource),
    texts,
    stop: () => ground.stop(),
  }
}

async function storeAll(engine: Engine, clock: ManualClock): Promise<void> {
  const stop = await telemetryStage({ flushAfterMs: 0, sealAfterMs: 1e9, leaseMs: 1e9, retryMs: 1 }).start(engine)
  const head = await engine.log.head(0)
  while (Number(await engine.db.cursor('telemetry:0')) < head) {
    await clock.advance(1)
    await new Promise((go) => setTimeout(go, 2))
  }
  const stopped = stop()
  await clock.advance(1)
  await stopped
}

/** With the engine of any process. */
export async function tellAll(engine: Engine, clinical: Clinical, fault?: (step: string) => void): Promise<void> {
  const lease = await leaseOf(engine)
  try {
    const people = new People(engine, clinical)
    const metrics = observationMetrics(engine.watch.metrics)
    const work = new ObservationWork({ engine, clinical, people, metrics, fault }, lease)
    await work.load()
    try {
      while (await work.step());
    } finally {
      await work.settled()
    }
  } finally {
    await lease.release()
  }
}

async function leaseOf(engine: Engine): Promise<Lease> {
  const lease = await engine.leases.acquire(observationsCursor, 60_000)
  if (lease === null) throw new Error('another holds the lease')
  return lease
}
