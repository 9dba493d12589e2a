/** The scene of alerting with people who are told: nora (nurse, owner), ben (facilities, backup), nina (nurse), lea (left). */
import { minute, openScene, type Scene } from '../../alerting/testing/scene.ts'
import { aPatient } from '../../subjects/fixtures.ts'
import { openReview } from '../reviews/open-review.ts'
import type { IntentRow } from '../schema.ts'
import { workOnTimers } from '../stages.ts'
import type { Reachable, Ways } from '../ways.ts'
import { makeWorkflow, type Workflow } from '../workflow.ts'
import { takeAllFacts } from './take-all-facts.ts'

export interface ToldScene extends Scene {
  readonly workflow: Workflow
  readonly ways: Ways
  /** Changes who works here. */
  readonly people: Reachable[]
  /** A patient of their own, enrolled with owner nora and backup ben. */
  aPatient(): Promise<string>
  /** Severe hypertension of this patient, confirmed, evaluated; tasks are opened. @returns the open task */
  raise(patient: string): Promise<string>
  /** Two measurements, the second of them now and not evaluated yet. */
  high(patient: string): Promise<void>
  normal(patient: string): Promise<void>
  /** Evaluates, opens tasks, fires what is due. */
  settle(): Promise<void>
  /** Lets time pass without any process; then fires what became due. */
  pass(ms: number): Promise<void>
  taskOf(patient: string): Promise<string>
  /** Opens a review for biomed about a device. @returns its id */
  review(): Promise<string>
  /** Of a task, oldest first: "email raised nora 0". */
  told(task: string): Promise<string[]>
  intents(task: string): Promise<IntentRow[]>
  stop(): Promise<void>
}

export async function openToldScene(options: { email: boolean }): Promise<ToldScene> {
  const scene = await openScene()
  const { engine, clock } = scene
  const person = (id: string, roles: Reachable['roles'], endedAt: number | null = null): Reachable => ({
    ...{ id, displayName: id, email: `${id}@clinic.example`, roles, endedAt },
  })
  const people = [person('nora', ['nurse']), person('ben', ['facilities']), person('nina', ['nurse'])]
  people.push(person('lea', ['nurse'], clock.now() - minute))
  const ways: Ways = { staff: async () => people, email: options.email, consents: scene.subjects.consents }
  // Nobody works on timers in between: what fires when is told by the test, not by how fast the clock is moved.
  const fire = async () => {
    const stop = workOnTimers(engine, ways)
    await engine.timers.runDue()
    await stop()
  }
  const settle = async () => {
    await scene.evaluate()
    await takeAllFacts(engine, scene.subjects, ways)
    await fire()
  }
  const measure = async (patient: string, systolic: number, diastolic: number) => {
    // The rule asks for a repeat after one to five minutes.
    await scene.measure(patient, { systolic, diastolic }, { group: engine.ids.uuid() })
    await scene.evaluate()
    await clock.advance(90_000)
    await scene.measure(patient, { systolic, diastolic }, { group: engine.ids.uuid() })
  }
  const high = (patient: string) => measure(patient, 192, 124)
  const taskOf = async (patient: string) => {
    const rows = await scene.rows<{ id: string }>(
      `select id from tenant.task where subject_id = '${patient}' and status <> 'completed'`,
    )
    if (rows.length !== 1) throw new Error(`${rows.length} open tasks`)
    return rows[0]!.id
  }
  const intents = (task: string) =>
    scene.rows<IntentRow>(`select * from tenant.notification_intent where task_id = '${task}' order by created_at, id`)
  return {
    ...{ ...scene, ways, people, high, settle, taskOf, intents },
    workflow: makeWorkflow(engine, scene.subjects, ways.staff),
    async aPatient() {
      const { id } = await scene.subjects.create(scene.by, aPatient())
      await scene.subjects.enrol(scene.by, id, { program: 'hypertension-rpm', owner: 'nora', backup: 'ben' })
      await clock.advance(1)
      return id
    },
    async review() {
      const told = { engine, ways, staff: people }
      const wanted = { kind: 'device-security', source: engine.ids.uuid(), reason: 'foreign-topic' } as const
      return (await engine.db.asTenant(scene.tenant, (tx) => openReview(told, tx, wanted)))!.id
    },
    normal: (patient) => measure(patient, 118, 76),
    async raise(patient) {
      await high(patient)
      await settle()
      return taskOf(patient)
    },
    async pass(ms) {
      clock.step(clock.now() + ms)
      await fire()
    },
    told: async (task) =>
      (await intents(task)).map(
        ({ channel, why, recipient, step, cancelled }) =>
          `${channel} ${why} ${recipient} ${step}${cancelled === null ? '' : ` not: ${cancelled}`}`,
      ),
    stop: scene.test.stop,
  }
}
