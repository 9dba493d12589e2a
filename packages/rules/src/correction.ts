/**
 * What a corrected assignment does to a rule's memory of one subject. Readings that went away are forgotten: what remains is
 * folded anew. Readings that came are judged like a backfill: told as historic, and a breach that goes on is carried into the
 * live stream. Decided in docs/adr/0007-corrections-and-alerts.md.
 */
import type { EpochMs, LoggedReading } from '@careloop/contract'
import type { CompiledRule } from './compiled.ts'
import { compact, type Lane, newLane, raiseByTimer, type Told, take } from './lane.ts'
import { copyMachine, copyPoint, deadlineOf, type Machine, newMachine, type Point } from './machine.ts'
import type { Source } from './rule.ts'
import { historicAfterMs, seed, type Track } from './track.ts'

/** Readings of one log entry. */
export interface CorrectedEntry {
  readonly readings: readonly LoggedReading[]
  readonly source: Source
}

export interface SubjectCorrection {
  readonly subject: string
  readonly device: string
  /** Log time of the correction. */
  readonly at: EpochMs
  /** `own` holds what was measured from here on; of what came before only the rule's memory remains. */
  readonly from: EpochMs
  /** The subject's then and now, of all its devices. */
  readonly own: readonly CorrectedEntry[]
  /** The device's, the subject's no longer. */
  readonly lost: readonly CorrectedEntry[]
  /** The device's, the subject's only now. */
  readonly gained: readonly CorrectedEntry[]
}

/** What follows; `historic`: it pages nobody. */
export interface CorrectionTold {
  readonly told: readonly Told[]
  readonly historic: boolean
}

/**
 * Forgets what went away.
 * @param own what stays, in order of measuredAt, without what came as a backfill
 */
export function withoutLost(
  track: Track,
  own: readonly Point[],
  { at, from }: Pick<SubjectCorrection, 'at' | 'from'>,
  rule: CompiledRule,
): CorrectionTold {
  const { head } = track.live
  const memory = rememberedBefore(head, from, rule)
  const lane: Lane = { base: memory, head: copyMachine(memory), points: [], pins: [] }
  for (const point of own) {
    compact(lane, point.at - historicAfterMs, rule)
    take(lane, copyPoint(point), rule)
  }
  track.live = lane
  track.late = null
  if (head.active === lane.head.active) return { told: [], historic: false }
  if (head.active) return { told: [{ what: 'cleared', at }], historic: false }
  // What went away had hidden that the condition stands.
  const { raisedAt, breachLast } = lane.head
  const raised: Told = { what: 'raised', at: raisedAt!, by: copyMachine(lane.head) }
  if (at - breachLast <= historicAfterMs) return { told: [raised], historic: false }
  standDown(track, rule)
  return { told: [raised], historic: true }
}

/** The machine as it was before `from`, as far as it can be known: a raise, or the breach that was pending. */
function rememberedBefore(head: Machine, from: EpochMs, rule: CompiledRule): Machine {
  const evidence = head.evidence.filter((point) => point.at < from)
  const carry = head.carry.map((carried) => (carried !== undefined && carried.at < from ? carried : undefined))
  const stands = head.active && head.raisedAt! < from
  const last = evidence.at(-1)?.at
  if (!stands && last === undefined) return { ...newMachine(), carry }
  return {
    ...newMachine(),
    ...{ active: stands, raisedAt: stands ? head.raisedAt : null, evidence, carry },
    ...{ breachSince: stands ? head.breachSince : evidence[0]!.at, breachLast: last ?? head.raisedAt! },
    ...{ evidenceLeftOut: head.evidenceLeftOut, lastAt: last ?? head.raisedAt! },
    row: stands ? [] : evidence.map((point) => point.at).slice(-rule.hold.inARow),
  }
}

/** Told as historic, so a reading of now that still meets the condition must raise it for now. */
function standDown(track: Track, rule: CompiledRule): void {
  const { head } = track.live
  const row = head.evidence.map((point) => point.at).slice(-rule.hold.inARow)
  const pending = { ...copyMachine(head), active: false, raisedAt: null, row }
  track.live = { base: pending, head: copyMachine(pending), points: [], pins: [] }
}

/** Judges what came. @param gained in order of measuredAt */
export function withGained(track: Track, gained: readonly Point[], at: EpochMs, rule: CompiledRule): CorrectionTold {
  const lane = newLane()
  const told: Told[] = []
  for (const point of gained) {
    compact(lane, point.at - historicAfterMs, rule)
    told.push(...take(lane, copyPoint(point), rule))
  }
  const due = deadlineOf(lane.head, rule)
  if (due <= at) told.push(raiseByTimer(lane, due))
  if (track.late === null || track.late.head.lastAt <= lane.head.lastAt) track.late = lane
  // A hold that is still running must be able to end by time alone, although nothing more is measured.
  if (!lane.head.active && due > at && due !== Number.POSITIVE_INFINITY)
    seed(track.live, lane.head, { at, group: '', values: [], sources: [] }, rule)
  return { told, historic: true }
}
