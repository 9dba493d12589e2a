/**
 * What an alert keeps for ever: the readings that made it and the bytes they came in, copied from the log at the moment of
 * raising, at most 64 kB, sealed under the subject's key. Of frames that do not fit, the hash remains.
 */
import { createHash } from 'node:crypto'
import { isAbsent, isCensored, type LogEntry, type ReadingFlag, type ReadingsLogged } from '@careloop/contract'
import type { CompiledRule, Point, Source, Transition, Usable } from '@careloop/rules'
import type { LogCommit, ReadingLog } from '../engine/index.ts'

export interface KeptReading {
  readonly signal: string
  /** A censored value keeps its comparator: LOW of a glucose meter is not a number. */
  readonly value: Usable
  readonly measuredAt: number
  readonly group: string
  /** What ingest found odd about it, e.g. that the device's clock was not set. */
  readonly flags?: readonly ReadingFlag[]
  readonly source: Source
}

export interface KeptFrame {
  readonly source: Source
  readonly door: string
  readonly format: string
  readonly sha256: string
  readonly sizeBytes: number
  /** Absent when it did not fit. */
  readonly base64?: string
}

export interface Evidence {
  readonly readings: readonly KeptReading[]
  readonly frames: readonly KeptFrame[]
  readonly leftOut: number
  /** Why it cleared, where no reading says so. */
  readonly why?: 'no-longer-watched'
  /** Of a silence: since when, and when something was heard last (null: never since it is watched). */
  readonly silence?: { readonly since: number; readonly last: number | null }
}

export const maxEvidenceBytes = 64 * 1024

/** Commits of the batch at hand, by position; older ones are read from the log. */
export type CommitsAtHand = ReadonlyMap<number, LogCommit>

/** Entries of the log by their place: of the batch at hand, else read, and each commit once for all that want it. */
export class EvidenceSource {
  readonly #log: Pick<ReadingLog, 'read'>
  readonly #atHand: CommitsAtHand
  readonly #read = new Map<number, Promise<LogCommit | undefined>>()

  constructor(log: Pick<ReadingLog, 'read'>, atHand: CommitsAtHand) {
    this.#log = log
    this.#atHand = atHand
  }

  async entry({ partition, position, index }: Source): Promise<ReadingsLogged | null> {
    const commit = this.#atHand.get(position) ?? (await this.#commit(partition, position))
    // Below the log's floor the read begins at a later commit: the frame is gone.
    const entry: LogEntry | undefined = commit?.position === position ? commit.entries[index] : undefined
    return entry?.kind === 'readings' ? entry : null
  }

  #commit(partition: number, position: number): Promise<LogCommit | undefined> {
    const known = this.#read.get(position)
    if (known !== undefined) return known
    const read = this.#log.read(partition, position - 1, 1).then((commits) => commits[0])
    this.#read.set(position, read)
    return read
  }
}

/** What proves a transition; null where nothing has to be kept. */
export async function gatherEvidence(
  source: EvidenceSource,
  rule: CompiledRule,
  { breach, late, why }: Transition,
  lastHeard?: Source,
): Promise<Evidence | null> {
  const points = breach?.points ?? (late ? [late] : [])
  if (points.length > 0) return withFrames(source, rule, points, breach?.leftOut ?? 0)
  const nothing = { readings: [], frames: [], leftOut: 0 }
  if (why !== undefined) return { ...nothing, why }
  if (breach === undefined) return null
  const before = lastHeard === undefined ? nothing : await beforeSilence(source, rule, lastHeard)
  return { ...before, silence: { since: breach.since, last: breach.last ?? null } }
}

/** The readings before a silence, where they are easily had: they show what is not known to have stayed so. */
async function beforeSilence(log: EvidenceSource, rule: CompiledRule, source: Source): Promise<Evidence> {
  const entry = await log.entry(source)
  if (entry === null) return { readings: [], frames: [], leftOut: 0 }
  const readings = entry.readings.flatMap(({ signal, value, measuredAt, groupId: group = '', flags }) =>
    isAbsent(value) || !rule.signals.includes(signal)
      ? []
      : [{ ...{ signal, value, measuredAt, group, source }, ...(flags?.length ? { flags } : {}) }],
  )
  if (readings.length === 0) return { readings, frames: [], leftOut: 0 }
  const frame = keepFrame(source, entry, maxEvidenceBytes - JSON.stringify(readings).length)
  return { readings, frames: [frame], leftOut: 0 }
}

async function withFrames(
  log: EvidenceSource,
  rule: CompiledRule,
  points: readonly Point[],
  leftOut: number,
): Promise<Evidence> {
  const readings = points.flatMap((point) => readingsOf(rule, point))
  const sources = new Map(readings.map(({ source }) => [`${source.position}/${source.index}`, source]))
  let budget = maxEvidenceBytes - JSON.stringify(readings).length
  const frames: KeptFrame[] = []
  const flags = new Map<string, readonly ReadingFlag[]>()
  // Newest first: the frame that raised the alert matters most.
  for (const source of [...sources.values()].reverse()) {
    const entry = await log.entry(source)
    if (entry === null) continue
    for (const reading of entry.readings) if (reading.flags?.length) flags.set(flagKey(source, reading), reading.flags)
    const frame = keepFrame(source, entry, budget)
    budget -= frame.base64?.length ?? 0
    frames.push(frame)
  }
  const flagged = readings.map((reading) => {
    const found = flags.get(flagKey(reading.source, reading))
    return found === undefined ? reading : { ...reading, flags: found }
  })
  return { readings: flagged, frames, leftOut }
}

const flagKey = ({ position, index }: Source, { signal, measuredAt }: { signal: string; measuredAt: number }) =>
  `${position}/${index}/${signal}/${measuredAt}`

const readingsOf = (rule: CompiledRule, point: Point): KeptReading[] =>
  rule.signals.flatMap((signal, slot) => {
    const value = point.values[slot]
    const source = point.sources[slot]
    if (value === undefined || source === undefined) return []
    return [{ signal, value, measuredAt: point.at, group: point.group, source }]
  })

function keepFrame(source: Source, { door, frame }: ReadingsLogged, budget: number): KeptFrame {
  const bytes = Buffer.from(frame.bytes)
  const described = {
    source,
    door,
    format: frame.format,
    sha256: createHash('sha256').update(bytes).digest('hex'),
    sizeBytes: bytes.length,
  }
  const base64 = bytes.toString('base64')
  return base64.length <= budget ? { ...described, base64 } : described
}

/** A value as a number for charts; of a censored one its limit. */
export const asNumber = (value: Usable): number => (isCensored(value) ? value.limit : value)
