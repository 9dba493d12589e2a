/** Decides what a restore takes from the store: which base copy, which timeline, which log; refuses what cannot come out right. */
import type { EpochMs } from '@careloop/contract'
import { engineFailure } from '../errors.ts'
import { newestOfEach, unlocked } from './lock.ts'
import { listBases, type Manifest, type Mark, readManifest, readMarks } from './manifest.ts'
import type { SealedStore } from './sealed-store.ts'
import { type Line, type LogPlan, planLog, readPieceKey } from './wal-pieces.ts'
import { type Lsn, printLsn, readHistory, readLsn, segmentAt, segmentName, startOf } from './wal-position.ts'
import { HISTORIES, listPieces } from './wal-shipper.ts'

export interface RestoreWish {
  /** Back to the last transaction at or before this time; absent = to the end of what is there. */
  readonly to?: EpochMs
  /** A base copy by its id; absent = the newest that fits. */
  readonly base?: string
}

export interface RestorePlan {
  readonly manifest: Manifest
  readonly line: Line
  readonly log: LogPlan
  /** Whether PostgreSQL must stop at a time; else it replays all. */
  readonly stopAt: EpochMs | null
  /** Newest ledger that the store has to have. */
  readonly ledger: number
  readonly histories: readonly { readonly name: string; readonly text: string }[]
}

/** @throws Failure `backup-none`, `backup-gap`, `backup-damaged`, `backup-time` */
export async function planRestore(store: SealedStore, wish: RestoreWish): Promise<RestorePlan> {
  const manifest = await chooseBase(store, wish)
  const marks = await marksOf(store, manifest.segmentBytes)
  const histories = await readHistories(store)
  const { mark, line } = chooseLine(manifest, marks, histories, wish.to)
  const pieces = await listPieces(store, manifest.segmentBytes)
  const log = planLog(pieces, readLsn(manifest.startLsn), line, manifest.segmentBytes)
  assertWhole(manifest, log, mark, wish)
  const ledger = Math.max(manifest.ledger, ...marks.map((each) => each.ledger))
  // What was shipped at a moment is all that had happened by then: a later time is the end of the log.
  const stopAt = wish.to !== undefined && wish.to < mark.at ? wish.to : null
  if (wish.to !== undefined && wish.to > mark.at)
    throw engineFailure(
      'backup-time',
      `The store knows what happened until ${iso(mark.at)}, not until ${iso(wish.to)}. Leave --to out to restore all of it.`,
    )
  return { manifest, line, log, stopAt, ledger, histories }
}

/** How far the log goes; where no mark says it any more (it is written anew all the time, so no store holds it), the log itself does. */
async function marksOf(store: SealedStore, segmentBytes: number): Promise<readonly Mark[]> {
  const marks = await readMarks(store)
  const derived = new Map<number, Mark>()
  for await (const { key, modifiedAt } of store.objects.list('wal/')) {
    const piece = readPieceKey(key, segmentBytes)
    if (!piece || marks.some(({ timeline }) => timeline === piece.segment.timeline)) continue
    const { timeline, number } = piece.segment
    const known = derived.get(timeline)
    const lsn = startOf(number, segmentBytes) + BigInt(piece.to)
    derived.set(timeline, {
      ...{ timeline, chain: '0/0', ledger: 0, session: Math.max(known?.session ?? 0, piece.session) },
      lsn: known && readLsn(known.lsn) > lsn ? known.lsn : printLsn(lsn),
      at: Math.max(known?.at ?? 0, modifiedAt),
    })
  }
  return [...marks, ...derived.values()]
}

const iso = (at: EpochMs): string => new Date(at).toISOString()

async function chooseBase(store: SealedStore, wish: RestoreWish): Promise<Manifest> {
  const ids = await listBases(store)
  if (wish.base !== undefined) {
    const manifest = await readManifest(store, wish.base)
    if (!manifest) throw none(`There is no backup ${wish.base}. See: careloop backup list`)
    if (wish.to !== undefined && wish.to < manifest.finishedAt)
      throw none(`Backup ${wish.base} was finished at ${iso(manifest.finishedAt)}, after that time. Take an older one.`)
    return manifest
  }
  for (const id of [...ids].reverse()) {
    const manifest = await readManifest(store, id)
    if (manifest && (wish.to === undefined || manifest.finishedAt <= wish.to)) return manifest
  }
  throw none(
    ids.length === 0
      ? 'The store holds no finished backup. Is CARELOOP_BACKUP the right place?'
      : 'Every backup there is was finished after that time. See: careloop backup list',
  )
}

const none = (message: string) => engineFailure('backup-none', message)

async function readHistories(store: SealedStore): Promise<RestorePlan['histories']> {
  const histories: { name: string; text: string }[] = []
  for (const key of newestOfEach(await store.names(HISTORIES))) {
    const text = await store.getJson<string>(key)
    if (text !== null) histories.push({ name: unlocked(key).name.slice(HISTORIES.length), text })
  }
  return histories
}

/**
 * The timeline that was written last of those that come out of the copy. Back to a time: the first that reaches it. A database that was
 * restored to before that time goes on with another life, which is not the one that somebody wants back.
 */
function chooseLine(
  manifest: Manifest,
  marks: readonly Mark[],
  histories: RestorePlan['histories'],
  to: EpochMs | undefined,
): { mark: Mark; line: Line } {
  const lines = marks.map((mark) => {
    const own = histories.find(({ name }) => Number.parseInt(name.slice(0, 8), 16) === mark.timeline)
    return { mark, line: { timeline: mark.timeline, ancestors: own ? readHistory(own.text) : [] } }
  })
  const stop = readLsn(manifest.stopLsn)
  const fitting = lines
    .filter(({ line }) => line.timeline === manifest.timeline || holdsCopy(line, manifest.timeline, stop))
    .sort((a, b) => b.mark.at - a.mark.at)
  const reaching = to === undefined ? [] : fitting.filter(({ mark }) => mark.at >= to)
  const first = reaching.sort((a, b) => a.mark.timeline - b.mark.timeline)[0]
  const chosen = first ?? fitting[0]
  if (chosen) return chosen
  throw engineFailure('backup-gap', `The store has no log that follows backup ${manifest.id}. Choose another backup.`)
}

const holdsCopy = (line: Line, timeline: number, stop: Lsn): boolean =>
  line.ancestors.some((branch) => branch.timeline === timeline && stop <= branch.until)

function assertWhole(manifest: Manifest, log: LogPlan, mark: Mark, wish: RestoreWish): void {
  const missing = segmentName(
    { timeline: mark.timeline, number: segmentAt(log.end, manifest.segmentBytes) },
    manifest.segmentBytes,
  )
  if (log.end < readLsn(manifest.stopLsn))
    throw engineFailure(
      'backup-gap',
      `Segment ${missing} of the log is missing from ${printLsn(log.end)} on, without which backup ${manifest.id} is not whole. Choose another backup, or put wal/${missing} back from another copy of the store.`,
    )
  if (log.end < readLsn(mark.lsn) && wish.to === undefined)
    throw engineFailure(
      'backup-gap',
      `Segment ${missing} of the log is missing from ${printLsn(log.end)} on; what came later, up to ${iso(mark.at)}, cannot follow. Put wal/${missing} back from another copy of the store, choose a newer backup, or restore to a time before with --to.`,
    )
}
