/** Who is measured in the kill story, and which alerts that must come to. */
import { workflowProgress } from '../../../packages/platform/src/workflow/index.ts'
import { type AlertCount, GOOD, measure, SEVERE, type Speaker, speak } from './alerts.ts'
import type { Ground, HttpDevice } from './ground.ts'
import { killSilence, killTimers } from './kill-rules.ts'
import { isAllTold, readTold, type ToldTask } from './notifications.ts'
import { caughtUp } from './stored.ts'

const CUFFS_A_ROUND = 3
/** A pair of probes falls silent every so many rounds: the last one has its grace of a minute to wait for. */
const ROUNDS_A_SILENCE = 20

/** Those of one round, each with one breach to come; `returning` has had one that somebody is on, and it has passed. */
export interface Scene {
  readonly cuffs: readonly HttpDevice[]
  readonly held: HttpDevice
  readonly unanswered: HttpDevice
  readonly returning: HttpDevice
}

export interface Cast {
  readonly scenes: readonly Scene[]
  /** Pairs of probes, worn by one each; a third one beside them speaks on. */
  readonly falling: readonly (readonly HttpDevice[])[]
  readonly speakers: ReadonlyMap<HttpDevice, Speaker>
}

export async function gather(ground: Ground, rounds: number): Promise<Cast> {
  const { alerting } = ground.rooms()
  for (const program of [killTimers, killSilence]) await alerting.activate(ground.clinic.by, program)
  const timed = async () => {
    const [device] = await ground.wearer(1)
    await ground.enrolInto(killTimers.code, device!.subject)
    return device!
  }
  const scenes: Scene[] = []
  for (let round = 0; round < rounds; round++) {
    const [cuffs, held, unanswered, returning] = await Promise.all([
      Promise.all(Array.from({ length: CUFFS_A_ROUND }, () => ground.cuff())),
      ...[timed(), timed(), ground.cuff()],
    ] as const)
    scenes.push({ cuffs, held, unanswered, returning })
  }
  await Promise.all(scenes.map(({ returning }) => measure(ground, returning, SEVERE)))
  const speakers = new Map<HttpDevice, Speaker>()
  const falling: HttpDevice[][] = []
  for (let silence = 0; silence < Math.ceil(rounds / ROUNDS_A_SILENCE); silence++) {
    const probes = await ground.wearer(3)
    for (const probe of probes) speakers.set(probe, speak(ground, probe))
    await ground.enrolInto(killSilence.code, probes[0]!.subject)
    falling.push(probes.slice(0, 2))
  }
  return { scenes, falling, speakers }
}

/** Their nurse takes what `returning` have, and they are well again. */
export async function calmDown(ground: Ground, { scenes }: Cast): Promise<void> {
  await actOnAll(ground)
  await Promise.all(scenes.map(({ returning }) => measure(ground, returning, GOOD)))
}

/** The nurse takes every open task of a severe blood pressure, or says anew that she is on it. */
export async function actOnAll(ground: Ground): Promise<void> {
  const { engine, workflow } = ground.rooms()
  const { tenant, nurse } = ground.clinic
  const tasks = await engine.db.asTenant(tenant, async (tx) => {
    const { rows } = await tx.client.query<{ id: string }>(
      `select id from tenant.task where status <> 'completed' and priority = 'high'`,
    )
    return rows
  })
  for (const { id } of tasks) await workflow.claim({ tenant, staff: nurse }, id)
}

/** What is measured in a round; resolves when all of it is acknowledged. */
export async function measureRound(ground: Ground, { scenes }: Cast, round: number): Promise<void> {
  const { cuffs, held, unanswered, returning } = scenes[round]!
  await Promise.all([
    ...[...cuffs, returning].map((cuff) => measure(ground, cuff, SEVERE)),
    measure(ground, held, { 'heart-rate': 171 }),
    measure(ground, unanswered, { 'respiratory-rate': 44 }),
  ])
}

/** Two probes of one subject say nothing any more; the third one does. */
export async function fallSilent({ falling, speakers }: Cast, round: number): Promise<void> {
  if (round % ROUNDS_A_SILENCE !== 0) return
  await Promise.all(falling[round / ROUNDS_A_SILENCE]!.map((probe) => speakers.get(probe)!.hush()))
}

/** Everything was evaluated, every timer has run, everybody was told. */
export async function isSettled(ground: Ground, { scenes }: Cast): Promise<boolean> {
  const { engine } = ground.rooms()
  await caughtUp(engine)
  if ((await workflowProgress(engine)).isBehind) return false
  const told = await readTold(engine, ground.clinic)
  const unanswered = new Set(scenes.map((scene) => scene.unanswered.subject))
  const escalations = ({ events }: ToldTask) => events.filter(({ what }) => what === 'escalated').length
  return isAllTold(told) && told.every((task) => !unanswered.has(task.subject) || escalations(task) === 2)
}

/** Each breach once, each silence once for its probe, and of those who were unheard only because of the kills: nothing. */
export function alertsDue({ scenes, falling }: Cast): AlertCount[] {
  const once = { condition: 'active', raised: 1, recurred: 0, told: 1, toldAgain: 0, tasks: 1 }
  return [
    ...scenes.flatMap(({ cuffs, held, unanswered, returning }) => [
      ...cuffs.map(({ subject }) => ({ ...once, subject, rule: 'severe-hypertension', focus: '' })),
      { ...once, subject: held.subject, rule: 'held', focus: '' },
      { ...once, subject: unanswered.subject, rule: 'unanswered', focus: '' },
      { ...once, subject: returning.subject, rule: 'severe-hypertension', focus: '', recurred: 1, toldAgain: 1 },
    ]),
    ...falling.flat().map(({ subject, device }) => ({ ...once, subject, rule: 'silent', focus: device })),
  ]
}
