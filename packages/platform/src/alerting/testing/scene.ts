/** A clinic for tests of alerting and workflow: a real engine, an enrolled patient and refrigerator, real programs. */
import { fileURLToPath } from 'node:url'
import type { LoggedReading, NewFact, ReadingsLogged, Role } from '@careloop/contract'
import { type ManualClock, makeManualClock } from '../../engine/clock/manual-clock.ts'
import type { Engine, Lease } from '../../engine/index.ts'
import { type TestEngine, testEngine } from '../../engine/testing/index.ts'
import { aFridge, aPatient, byTest, testSubjects } from '../../subjects/fixtures.ts'
import type { By, Subjects } from '../../subjects/index.ts'
import { type Alerting, makeAlerting } from '../alerting.ts'
import { Evaluation, type EvaluationParts } from '../evaluation.ts'
import type { Members } from '../members.ts'
import { readPrograms } from '../program-files.ts'
import { atOnce } from './at-once.ts'
import { evaluateAll } from './evaluate-all.ts'

export const minute = 60_000
/** 10:00 in Vienna, where the patient lives. */
export const start = Date.UTC(2026, 2, 2, 9)
const staff: { id: string; displayName: string; roles: Role[]; endedAt: number | null }[] = [
  { id: 'nora', displayName: 'Nora Nurse', roles: ['nurse'], endedAt: null },
  { id: 'ben', displayName: 'Ben Building', roles: ['facilities'], endedAt: null },
  { id: 'pia', displayName: 'Pia Physician', roles: ['physician'], endedAt: null },
  { id: 'petra', displayName: 'Petra Pharmacist', roles: ['pharmacist', 'biomed'], endedAt: null },
  { id: 'lea', displayName: 'Lea Left', roles: ['nurse'], endedAt: 1 },
]

export interface Scene {
  readonly test: TestEngine
  readonly engine: Engine
  readonly clock: ManualClock
  readonly tenant: string
  readonly by: By
  readonly subjects: Subjects
  readonly staff: Members
  readonly alerting: Alerting
  /** Enrolled in hypertension-rpm with owner nora. */
  readonly patient: string
  /** Enrolled in vaccine-fridge with owner ben. */
  readonly fridge: string
  /** Appends readings of one device as one frame, stored now. */
  measure(subject: string, values: Record<string, number>, options?: Measuring): Promise<number>
  /** A holder of the partition, opened; `lease` lets a second one take over. */
  evaluation(options?: Pick<EvaluationParts, 'fault'>): Promise<Held>
  /** Evaluates all there is with a fresh holder. */
  evaluate(): Promise<void>
  rows<T extends object>(sql: string): Promise<T[]>
  facts<T extends NewFact['type']>(type: T): Promise<Extract<NewFact, { type: T }>[]>
}

export interface Measuring {
  readonly at?: number
  readonly device?: string
  readonly group?: string
}

export interface Held {
  readonly evaluation: Evaluation
  readonly lease: Lease
  /** Evaluates what the log holds, to its end. */
  run(): Promise<void>
}

export async function openScene(): Promise<Scene> {
  const clock = makeManualClock(start - minute)
  const test = await testEngine({ clock })
  const { engine } = test
  const tenant = await test.tenant()
  const by = byTest(tenant)
  const subjects = testSubjects(
    engine,
    staff.map(({ id }) => id),
  )
  const staffOf = async () => staff
  const alerting = makeAlerting(engine, subjects, staffOf)
  const programs = await readPrograms(fileURLToPath(new URL('../../../../../programs', import.meta.url)))
  for (const program of programs) await alerting.activate(by, atOnce(program))
  const patient = (await subjects.create(by, aPatient())).id
  const fridge = (await subjects.create(by, aFridge())).id
  await subjects.enrol(by, patient, { program: 'hypertension-rpm', owner: 'nora', backup: 'ben' })
  await subjects.enrol(by, fridge, { program: 'vaccine-fridge', owner: 'ben', backup: 'nora' })
  const device = engine.ids.uuid()
  await clock.advance(minute)

  const evaluation = async (options: Pick<EvaluationParts, 'fault'> = {}): Promise<Held> => {
    const lease = await engine.leases.acquire('alerting:0', 30_000)
    if (lease === null) throw new Error('somebody holds the lease')
    const held = new Evaluation({ engine, subjects, partition: 0, lease, ...options })
    const run = async () => {
      while (await held.advance()) {}
    }
    return { evaluation: held, lease, run }
  }
  return {
    ...{ test, engine, clock, tenant, by, subjects, staff: staffOf, alerting, patient, fridge, evaluation },
    async measure(subject, values, options = {}) {
      const entry = entryOf(tenant, subject, options.device ?? device, clock.now(), values, options)
      return (await engine.log.append([entry])).position
    },
    evaluate: () => evaluateAll(engine, subjects),
    rows: async <T extends object>(sql: string) =>
      engine.db.asTenant(tenant, async (tx) => (await tx.client.query<T>(sql)).rows),
    async facts(type) {
      // As rows, since readers of facts wait for the oldest transaction of the whole server, which other tests share.
      const sql = 'select body from engine.fact where type = $1 and tenant_id = $2 order by xid, id'
      const { rows } = await engine.db.pool.query<{ body: object }>(sql, [type, tenant])
      return rows.map(({ body }) => ({ type, ...body })) as never
    },
  }
}

function entryOf(
  tenant: string,
  subject: string,
  device: string,
  now: number,
  values: Record<string, number>,
  { at = now, group }: Measuring,
): ReadingsLogged {
  const readings = Object.entries(values).map(
    ([signal, value]): LoggedReading => ({
      ...{ signal, value, measuredAt: at, ordinal: 0 },
      ...(group === undefined ? {} : { groupId: group }),
    }),
  )
  const frame = { format: 'json', bytes: Buffer.from(JSON.stringify({ ts: at, values })) } as const
  return {
    ...{ kind: 'readings', tenant, device, assignment: device, subject, door: 'mqtt', receivedAt: now },
    ...{ origin: 'automatic', frame, readings },
  }
}
