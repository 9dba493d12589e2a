/** What a publish is answered with, from what became of it. */
import { Failure } from '@careloop/contract'
import type { Receipt, SetAside } from '../door.ts'
import type { Client } from './client.ts'
import type { Connection } from './connection.ts'
import { Reason } from './reason-codes.ts'
import type { Acceptance } from './session.ts'

export const SUCCESS: Acceptance = { reason: Reason.success, text: '' }

export function accepted(connection: Connection, client: Client, receipt: Receipt): Acceptance {
  connection.state.counts.published(receipt.outcome)
  if (receipt.outcome === 'duplicate' || client.version === 4) return SUCCESS
  if (receipt.outcome === 'stored' && receipt.quarantined.length === 0) return SUCCESS
  const text = client.wantsReasons ? explain(receipt.quarantined) : ''
  return { reason: receipt.outcome === 'quarantined' ? Reason.payloadFormatInvalid : Reason.success, text }
}

function explain(quarantined: readonly SetAside[]): string {
  return quarantined
    .map(({ reason, pointer, message }) => `${reason} at ${pointer || 'the whole'}: ${message}`)
    .join(' ')
}

/** @param told the client waits for an answer (QoS 1 and 2) */
export function refused(connection: Connection, client: Client, error: unknown, told: boolean): Acceptance {
  const { counts, log } = connection.state
  const expected = error instanceof Failure && error.kind.disposition === 'retry'
  if (!expected) log.error({ err: error, device: client.device.device }, 'a publish could not be accepted')
  counts.published(!expected ? 'failed' : told ? 'refused' : 'refused-qos0')
  // 5.0: the client learns that it was not stored. 3.1.1 has no such answer: silence, and the connection ends, so that the client
  // sends it again. The same when nobody knows whether it was stored, and when the log is closed: a no would be a guess.
  if (!expected || client.version === 4 || error.code === 'log-closed') return null
  return { reason: Reason.quotaExceeded, text: client.wantsReasons ? error.code : '' }
}
