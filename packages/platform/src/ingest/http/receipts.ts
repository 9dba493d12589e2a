/** What the HTTP door answers: receipts of what was kept, and why nothing can be kept now. */
import type { Failure, ReceiptBody } from '@careloop/contract'
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
