/**
 * One holder's work on one partition: reads the log in order, evaluates, and commits what follows together with the cursor. All
 * it holds in memory can be rebuilt from the database and the log; on any doubt it is dropped and rebuilt.
 */
import type { AssignmentChanged, DeviceReported, LogEntry } from '@careloop/contract'
import { Evaluator, type Source, type Transition } from '@careloop/rules'
import type { Engine, Lease, LogCommit } from '../engine/index.ts'
import { wornDevices } from '../fleet/index.ts'
import type { Subjects } from '../subjects/index.ts'
import { applyTransitions } from './alert-writer.ts'
import { alertingMetrics } from './alerting-metrics.ts'
import {
  type Checkpoint,
  loadCheckpoint,
  type Snapshot,
  sealStates,
  takeSnapshot,
  writeCheckpoint,
} from './checkpoint.ts'
import { workThrough } from './corrections.ts'
import { readingsOfReport } from './device-signals.ts'
import { HearingFeed } from './hearing-feed.ts'
import { LastHeard } from './last-heard.ts'
import { makeRulebook, type Rulebook } from './rulebook.ts'
import type { AlertingTables } from './schema.ts'
import { type Decided, type Prepared, prepareAll } from './transitions.ts'
import { applyMark, type Mark, type MarkPlace } from './wrong-subject.ts'

export interface EvaluationParts {
  readonly engine: Engine
  readonly subjects: Pick<Subjects, 'enrolmentsOfMany' | 'enrolmentsAt' | 'names'>
  readonly partition: number
  readonly lease: Lease
  /** For tests: dies at a moment. Called inside the transaction before it commits, and after it committed. */
  readonly fault?: (moment: 'before-commit' | 'after-commit') => void
}

/** ms between checkpoints; a restart replays about this much. */
export const checkpointEveryMs = 5_000
/** Taking the states of thousands keeps alerts waiting: it is done so seldom that it takes no more than this share of the time. */
const snapshotShare = 0.0025
/** However long it takes, ms: a restart replays no more. */
const checkpointAtLeastEveryMs = 30_000
const batchEntries = 2_000

export const cursorOf = (partition: number): string => `alerting:${partition}`

export class Evaluation {
  readonly #parts: EvaluationParts
  readonly #rulebook: Rulebook
  readonly #metrics: ReturnType<typeof alertingMetrics>
  readonly #evaluator = new Evaluator()
  readonly #hearing = new HearingFeed(this.#evaluator)
  /** Newest commit evaluated. */
  #position = 0
  /** Where the database's cursor stands: transitions at or below it were written before. */
  #cursor = '0'
  #tenants = new Map<string, string>()
  readonly #leaving = new Set<string>()
  readonly #changed = new Set<string>()
  #checkpointedAt = 0
  #checkpointEveryMs = checkpointEveryMs
  /** A checkpoint that is being written while evaluation goes on. */
  #saving: Promise<void> | null = null
  #savingFailed: unknown
  /** The log is known to go so far: configuration that is read now holds all that was changed up to there. */
  #readUntil = 0
  /** By subject, up to where in the log its changes are known. */
  readonly #configuredUntil = new Map<string, number>()
  #decided: Decided[] = []
  #replayed: Decided[] = []
  #marks: { mark: Mark; at: MarkPlace }[] = []
  /** Transitions that no rule told. */
  #besides: Transition[] = []
  /** Subjects began anew, which is neither told nor kept yet. */
  #hasBegunAnew = false
  #lastHeard = new LastHeard(Number.NEGATIVE_INFINITY)
  readonly #atHand = new Map<number, LogCommit>()

  constructor(parts: EvaluationParts) {
    this.#parts = parts
    this.#metrics = alertingMetrics(parts.engine.watch.metrics)
    this.#rulebook = makeRulebook(parts.engine, parts.subjects)
  }

  get position(): number {
    return this.#position
  }

  /** Log time of what was evaluated last. */
  get evaluatedAt(): number {
    return this.#evaluator.now
  }

  /** Loads the checkpoint and replays up to the cursor, without writing; what comes out is compared with what was written. */
  async open(): Promise<void> {
    const { engine, partition } = this.#parts
    this.#cursor = await engine.db.cursor(cursorOf(partition))
    const checkpoint = await loadCheckpoint(engine, this.#rulebook, partition, this.#evaluator)
    this.#tenants = checkpoint.tenants
    this.#checkpointedAt = engine.clock.now()
    if (checkpoint.position === null) await this.#openFirst()
    else await this.#replay(checkpoint)
    await this.#beginAnew(checkpoint.lost)
  }

  /**
   * Subjects whose state could not be opened: their rules stand from here on, as if they had just been enrolled. After the replay, so
   * that what still breaches is told again rather than taken for told. Whoever answers for them is told that something was forgotten.
   */
  async #beginAnew(lost: ReadonlyMap<string, string>): Promise<void> {
    if (lost.size === 0) return
    this.#metrics.statesLost.inc(lost.size)
    this.#readUntil = Math.max(this.#readUntil, this.#position)
    for (const [tenant, subjects] of Map.groupBy(lost, ([, of]) => of))
      await this.#configure(
        tenant,
        subjects.map(([subject]) => subject),
      )
    this.#hasBegunAnew = true
    for (const subject of lost.keys()) this.#besides.push(...stateLost(this.#evaluator, subject))
  }

  /** Evaluates what the log holds next. @returns false when there was nothing */
  async advance(): Promise<boolean> {
    const { engine, partition } = this.#parts
    // What it was to keep is known to nobody else: memory is dropped, and begun again from what was kept before.
    if (this.#savingFailed !== undefined) throw this.#savingFailed
    const commits = await engine.log.read(partition, this.#position, batchEntries)
    this.#readUntil = Math.max(this.#readUntil, commits.at(-1)?.position ?? 0)
    // What began anew is kept with the first commit that follows, in which it is told.
    let configured = this.#hasBegunAnew && commits.length > 0
    if (configured) this.#hasBegunAnew = false
    for (const commit of commits) {
      // A correction looks at the alerts that stand in the database: what was decided before it is written first.
      if (this.#decided.length > 0 && commit.entries.some((entry) => entry.kind === 'assignment-changed')) {
        await this.#commit(configured)
        configured = false
      }
      configured = (await this.#evaluate(commit)) || configured
    }
    const due = engine.clock.now() - this.#checkpointedAt >= this.#checkpointEveryMs
    if (configured || this.#decided.length > 0 || (due && String(this.#position) !== this.#cursor))
      await this.#commit(configured)
    if (due && this.#changed.size > 0 && this.#saving === null) this.#saveBehind()
    this.#atHand.clear()
    return commits.length > 0
  }

  /** Writes what memory holds, so that the next holder replays nothing. */
  async close(): Promise<void> {
    await this.#saved()
    if (String(this.#position) !== this.#cursor || this.#changed.size > 0) await this.#commit(true)
  }

  /** Before the lease is given up, however this ended: what is still being written must not meet the next holder's reading. */
  async settle(): Promise<void> {
    await this.#saving
  }

  /**
   * A checkpoint as of now, written while evaluation goes on: sealing the states of thousands takes longer than an alert may wait.
   * A start replays from it to the cursor, which is never behind it.
   */
  #saveBehind(): void {
    const { engine, partition, lease } = this.#parts
    const began = engine.clock.now()
    const snapshot = takeSnapshot(this.#evaluator, this.#tenants, this.#changed)
    const wantedMs = (engine.clock.now() - began) / snapshotShare
    this.#checkpointEveryMs = Math.min(checkpointAtLeastEveryMs, Math.max(checkpointEveryMs, wantedMs))
    const place = {
      partition,
      position: this.#position,
      logNow: this.#evaluator.now,
      hearing: this.#hearing.takeChanged(),
    }
    this.#changed.clear()
    this.#checkpointedAt = engine.clock.now()
    const save = async () => {
      const states = await this.#seal(snapshot)
      await engine.db.asEngine(async (tx) => {
        await lease.assertHeld(tx)
        await writeCheckpoint(tx, { ...place, ...states })
      })
    }
    this.#saving = save()
      .catch((error: unknown) => {
        this.#savingFailed = error
      })
      .finally(() => {
        this.#saving = null
      })
  }

  /** Before another checkpoint is written: an older one must never come after it. @throws what kept it from being written */
  async #saved(): Promise<void> {
    await this.#saving
    if (this.#savingFailed !== undefined) throw this.#savingFailed
  }

  async #seal(snapshot: Snapshot) {
    const { erased, ...states } = await sealStates(this.#parts.engine, snapshot)
    for (const subject of erased) this.#evaluator.configure(subject, [])
    return states
  }

  /** The first start on this database: everybody's rules as they stand now, and the log from its floor. */
  async #openFirst(): Promise<void> {
    const { engine, partition } = this.#parts
    this.#position = Math.max(Number(this.#cursor), await engine.log.floor(partition))
    this.#readUntil = await engine.log.head(partition)
    this.#hearing.beginAfter(this.#readUntil)
    if (this.#position > 0) this.#lastHeard = new LastHeard(engine.clock.now())
    await this.#configureEverybody()
    // From here on a replay starts at a checkpoint: a moved cursor without one would forget what was pending.
    this.#noteChanged()
    await this.#commit(true)
  }

  async #replay({ position, logNow, hearing }: Checkpoint): Promise<void> {
    const { engine, partition } = this.#parts
    this.#position = position!
    this.#lastHeard = new LastHeard(logNow)
    this.#hearing.load(hearing, logNow)
    this.#evaluator.advance(logNow)
    this.#evaluator.takeTransitions()
    const until = Number(this.#cursor)
    while (this.#position < until) {
      const commits = await engine.log.read(partition, this.#position, batchEntries)
      if (commits.length === 0) throw new Error('the log ends before the cursor of alerting')
      for (const commit of commits) if (this.#position < until) await this.#evaluate(commit)
    }
    this.#atHand.clear()
    await this.#compare(position!, until)
  }

  /** @returns whether configuration was reloaded: then it is committed with a checkpoint, since no replay can know it as it was */
  async #evaluate(commit: LogCommit): Promise<boolean> {
    const { engine, partition } = this.#parts
    let configured = false
    if (commit.position !== this.#position + 1)
      engine.watch.log.error({ partition, after: this.#position }, 'the log let go of commits that no rule has seen')
    if (this.#hearing.endsBefore(commit.position)) {
      await this.#configureEverybody()
      configured = true
    }
    for (let index = 0; index < commit.entries.length; index++) {
      const entry = commit.entries[index]!
      if (entry.kind === 'readings') {
        const source = this.#sourceOf(commit, index, entry)
        this.#lastHeard.hear(entry, source)
        this.#evaluator.readings(entry.subject, entry.readings, source)
      } else configured = (await this.#hear(entry, commit, index)) || configured
    }
    this.#evaluator.advance(commit.storedAt)
    this.#position = commit.position
    this.#take(commit)
    return configured
  }

  #sourceOf(
    { position, storedAt }: LogCommit,
    index: number,
    { device, receivedAt, door }: { readonly device: string; readonly receivedAt: number; readonly door?: string },
  ): Source {
    const source = { partition: this.#parts.partition, position, index, device, receivedAt, storedAt }
    return door === 'replay' ? { ...source, replayed: true } : source
  }

  /** Entries that are no readings. @returns whether configuration was reloaded */
  async #hear(entry: LogEntry, commit: LogCommit, index: number): Promise<boolean> {
    const { storedAt } = commit
    switch (entry.kind) {
      case 'tick':
        this.#evaluator.advance(entry.at)
        return false
      case 'door-up':
      case 'door-down':
        this.#hearing.door(entry, storedAt)
        return false
      case 'device-reported':
        this.#report(entry, commit, index)
        return false
      case 'alert-handled': {
        const { rule, subject, focus, handling, rearm = null } = entry
        this.#evaluator.handled(rule, subject, focus, handling, rearm, storedAt)
        return false
      }
      case 'assignment-changed':
        return this.#assign(entry, commit, index)
      case 'config-changed':
        if (entry.subject === undefined) await this.#configureTenant(entry.tenant, commit.position)
        else await this.#configureOnce(entry.tenant, [entry.subject], commit.position)
        return true
      default:
        return false
    }
  }

  /** A connection came or went; or a device told of its battery, which is judged with what its wearer's rules say. */
  #report(entry: DeviceReported, commit: LogCommit, index: number): void {
    if (entry.what !== 'attributes' && entry.what !== 'status') this.#hearing.connection(entry, commit.storedAt)
    if (entry.what === 'connected' || entry.what === 'disconnected') return
    const wearer = this.#evaluator.wearerOf(entry.device)
    if (wearer === undefined) return
    const readings = readingsOfReport(entry)
    if (readings.length > 0) this.#evaluator.readings(wearer, readings, this.#sourceOf(commit, index, entry))
  }

  /**
   * Readings come attributed: only a change that reaches back behind what was heard moves any. Whoever wears or wore the device has
   * other devices to be heard by. Both are committed with a checkpoint, so that no replay ever does it again.
   */
  async #assign(change: AssignmentChanged, commit: LogCommit, index: number): Promise<boolean> {
    const corrected = await this.#correct(change, commit, index)
    const now = change.assignments.find(({ to }) => to === null)?.subject
    const isTouched = (subject: string) =>
      subject === now || this.#evaluator.devices(subject)?.some(({ device }) => device === change.device)
    const watched = this.#evaluator.subjects().filter(isTouched)
    await this.#configureOnce(change.tenant, watched, commit.position)
    return corrected || watched.length > 0
  }

  async #correct(change: AssignmentChanged, commit: LogCommit, index: number): Promise<boolean> {
    const { engine, partition } = this.#parts
    // Written by a version that did not know corrections; since then none lies between a checkpoint and the cursor.
    if (commit.position <= Number(this.#cursor) || !this.#lastHeard.mayReachBack(change)) return false
    const place = { partition, position: commit.position, index }
    const { marks, transitions } = await workThrough(engine, this.#evaluator, change, place, commit.storedAt)
    const at = { partition, position: commit.position, storedAt: commit.storedAt }
    this.#marks.push(...marks.map((mark) => ({ mark, at })))
    this.#besides.push(...transitions)
    return true
  }

  async #configureEverybody(): Promise<void> {
    const { engine, subjects } = this.#parts
    for (const tenant of await engine.db.tenants()) {
      const enrolments = await subjects.enrolmentsAt(tenant, engine.clock.now())
      await this.#configure(tenant, [...new Set(enrolments.map((each) => each.subject))])
    }
  }

  async #configureTenant(tenant: string, position: number): Promise<void> {
    const { engine, subjects } = this.#parts
    const enrolments = await subjects.enrolmentsAt(tenant, engine.clock.now())
    const known = [...this.#tenants].filter(([, of]) => of === tenant).map(([subject]) => subject)
    await this.#configureOnce(tenant, [...new Set([...known, ...enrolments.map((each) => each.subject)])], position)
  }

  /** Of many changes that were read together the first reads what all of them made: the others have nothing left to do. */
  async #configureOnce(tenant: string, subjects: readonly string[], position: number): Promise<void> {
    const stale = subjects.filter((subject) => (this.#configuredUntil.get(subject) ?? 0) < position)
    if (stale.length > 0) await this.#configure(tenant, stale)
  }

  async #configure(tenant: string, subjects: readonly string[]): Promise<void> {
    if (subjects.length === 0) return
    const rules = await this.#rulebook.rulesOfMany(tenant, subjects)
    const worn = await wornDevices(this.#parts.engine, tenant, subjects)
    for (const subject of subjects) {
      const all = rules.get(subject) ?? []
      const own = this.#hearing.isHistory ? all.filter(({ compiled }) => !compiled.isAbsence) : all
      this.#evaluator.configure(subject, own, worn.get(subject) ?? [])
      this.#configuredUntil.set(subject, this.#readUntil)
      // What letting go of a subject tells still names its tenant.
      if (own.length === 0) this.#leaving.add(subject)
      else {
        this.#leaving.delete(subject)
        this.#tenants.set(subject, tenant)
      }
    }
  }

  #noteChanged(): void {
    for (const subject of this.#evaluator.takeChanged()) this.#changed.add(subject)
  }

  #take(commit: LogCommit): void {
    this.#noteChanged()
    const transitions = [...this.#evaluator.takeTransitions(), ...this.#besides]
    this.#besides = []
    if (transitions.length > 0) this.#decide(commit, transitions)
    for (const subject of this.#leaving) this.#tenants.delete(subject)
    this.#leaving.clear()
  }

  #decide(commit: LogCommit, transitions: readonly Transition[]): void {
    const isReplay = commit.position <= Number(this.#cursor)
    // Marks are numbered first: they all belong to this commit, since a checkpoint follows at once.
    transitions.forEach((transition, index) => {
      const ordinal = this.#marks.length + index
      const tenant = this.#tenants.get(transition.subject)!
      const { partition } = this.#parts
      const { position, storedAt } = commit
      const [override, lastHeard] = [this.#overrideOf(transition), this.#lastOf(transition)]
      const decided = { transition, tenant, partition, position, storedAt, ordinal, override, lastHeard }
      if (isReplay) this.#replayed.push(decided)
      else this.#decided.push(decided)
    })
    if (!isReplay) this.#atHand.set(commit.position, commit)
  }

  /** The limit of its own that a subject had when this was told. */
  #overrideOf({ subject, rule, enrolment }: Transition): string | null {
    const state = this.#evaluator.state(subject)
    const own = state?.find(({ spec }) => spec.rule === rule && spec.enrolment === enrolment)
    return own?.spec.override ?? null
  }

  /** Of a silence: what was heard before it. */
  #lastOf({ subject, focus, breach }: Transition): Source | undefined {
    if (breach === undefined || breach.points.length > 0) return undefined
    const devices = this.#evaluator.devices(subject)?.map(({ device }) => device)
    return this.#lastHeard.newestOf(focus === '' ? (devices ?? []) : [focus])
  }

  /** Transitions, cursor and (when due) checkpoint: all or nothing, and only while the lease is held. */
  async #commit(withCheckpoint: boolean): Promise<void> {
    const { engine, subjects, partition, lease, fault } = this.#parts
    const preparing = { engine, subjects, rulebook: this.#rulebook, atHand: this.#atHand }
    const prepared = await prepareAll(preparing, this.#decided)
    if (withCheckpoint) await this.#saved()
    const states = withCheckpoint ? await this.#seal(takeSnapshot(this.#evaluator, this.#tenants, this.#changed)) : null
    const hearing = withCheckpoint ? this.#hearing.takeChanged() : null
    const to = String(this.#position)
    await engine.db.asEngine(async (tx) => {
      await lease.assertHeld(tx)
      for (const [ordinal, { mark, at }] of this.#marks.entries()) await applyMark(engine, tx, mark, at, ordinal)
      if (prepared.length > 0) await applyTransitions(engine, tx, prepared)
      if (states !== null)
        await writeCheckpoint(tx, {
          ...{ partition, position: this.#position, logNow: this.#evaluator.now, hearing },
          ...states,
        })
      await engine.db.moveCursor(tx, cursorOf(partition), this.#cursor, to)
      fault?.('before-commit')
    })
    fault?.('after-commit')
    this.#cursor = to
    this.#count(prepared)
    this.#decided = []
    this.#marks = []
    if (states === null) return
    this.#changed.clear()
    this.#checkpointedAt = engine.clock.now()
  }

  #count(prepared: readonly Prepared[]): void {
    for (const { program, rule, transition } of prepared) {
      const { what, historic } = transition
      const outcome = what === 'raised' && historic ? 'found-late' : what
      this.#metrics.told.inc({ program, rule: rule.code, outcome })
    }
    for (const { mark } of this.#marks) this.#metrics.marked.inc({ outcome: mark.what })
  }

  /** A replay that tells something else than was told is a bug: said loudly, never acted on. */
  async #compare(after: number, until: number): Promise<void> {
    const { engine, partition } = this.#parts
    const written = new Set<string>()
    for (const tenant of await engine.db.tenants()) {
      const rows = await engine.db.asTenant(tenant, (tx) =>
        tx
          .tables<AlertingTables>()
          .selectFrom('alert_event')
          .select(['position', 'ordinal'])
          .where('partition', '=', partition)
          .where('position', '>', String(after))
          .where('position', '<=', String(until))
          .execute(),
      )
      for (const row of rows) written.add(`${row.position}/${row.ordinal}`)
    }
    const recomputed = new Set(this.#replayed.map(({ position, ordinal }) => `${position}/${ordinal}`))
    const missing = [...written].filter((key) => !recomputed.has(key)).length
    const extra = [...recomputed].filter((key) => !written.has(key)).length
    this.#metrics.mismatches.inc(missing + extra)
    if (missing + extra > 0)
      engine.watch.log.error({ partition, missing, extra }, 'a replay of the rules did not tell what was told before')
    this.#replayed = []
  }
}

/** One alert for each enrolment: not each rule needs its own. */
function stateLost(evaluator: Evaluator, subject: string): Transition[] {
  const told = new Map<string, Transition>()
  for (const { spec } of evaluator.state(subject) ?? []) {
    const { rule, version, enrolment } = spec
    const about = { subject, rule, version, enrolment, focus: 'technical', at: evaluator.now, historic: false }
    if (!told.has(enrolment)) told.set(enrolment, { what: 'state-lost', ...about })
  }
  return [...told.values()]
}
