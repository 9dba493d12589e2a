/** What the HTTP door answers: receipts of what was kept, and why nothing can be kept now. */
import { Failure, type ReceiptBody } from '@careloop/contract'
import type { z } from 'zod'
import type { Engine } from '../../engine/index.ts'
import type { Receipt } from '../door.ts'
import { ingestFailure } from '../errors.ts'

export function receiptBody(receipt: Receipt): z.input<typeof ReceiptBody> {
  if (receipt.outcome === 'duplicate') return { outcome: receipt.outcome }
  if (receipt.outcome === 'quarantined') return { outcome: receipt.outcome, quarantined: [...receipt.quarantined] }
  const { outcome, position, readings, quarantined } = receipt
  return { outcome, position, readings, ...(quarantined.length > 0 ? { quarantined: [...quarantined] } : {}) }
}

export interface Answer {
  readonly receipts: z.input<typeof ReceiptBody>[]
  /** What became of those that were kept. */
  readonly kept: readonly Receipt[]
  readonly headers: Readonly<Record<string, string>>
}

/**
 * The receipts of one request, in its order. Where some were kept, the others are told one by one as `refused`: a sender that got
 * one refusal for all would send again what is stored.
 * @throws whatever the first was refused with, when nothing was kept
 */
export async function answerOf(taken: readonly Promise<Receipt>[]): Promise<Answer> {
  const settled = await Promise.allSettled(taken)
  const kept = settled.flatMap((each) => (each.status === 'fulfilled' ? [each.value] : []))
  const refused = settled.find((each) => each.status === 'rejected')
  if (refused && kept.length === 0) throw refusedWith(refused.reason)
  const waits = settled.map((each) => (each.status === 'rejected' ? retryAfter(each.reason) : 0))
  const receipts = settled.map((each, i) =>
    each.status === 'fulfilled'
      ? receiptBody(each.value)
      : { outcome: 'refused' as const, retryAfterSeconds: waits[i]! },
  )
  return { receipts, kept, headers: refused ? { 'retry-after': String(Math.max(...waits)) } : {} }
}

const retryAfter = (error: unknown): number => (error instanceof Failure ? error.retryAfterSeconds : undefined) ?? 5

const REFUSALS = ['log-overloaded', 'storage-low', 'log-closed'] as const

/** The log's own refusal in the words of the door. */
function refusedWith(error: unknown): unknown {
  const code = error instanceof Failure ? REFUSALS.find((refusal) => refusal === error.code) : undefined
  return code ? refusalOf(code) : error
}

/** Asked before work is taken. @throws Failure `ingest-overloaded` | `ingest-storage-low` | `ingest-stopping`, with Retry-After */
export function assertTaking(engine: Pick<Engine, 'log'>): void {
  const refusal = engine.log.refusal()
  if (refusal) throw refusalOf(refusal)
}

function refusalOf(code: 'log-overloaded' | 'storage-low' | 'log-closed'): Failure {
  const words = {
    'log-overloaded': [
      'ingest-overloaded',
      'More readings are waiting than can be stored now. Nothing was kept; send again.',
      2,
    ],
    'storage-low': [
      'ingest-storage-low',
      'The disk is nearly full, so nothing new is accepted. Nothing was kept; send again later.',
      60,
    ],
    'log-closed': ['ingest-stopping', 'The server is stopping. Nothing was kept; send again.', 5],
  } as const
  const [kind, message, retryAfterSeconds] = words[code]
  return ingestFailure(kind, message, { retryAfterSeconds })
}
