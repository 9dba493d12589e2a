/** Checkpoints as objects, held by object lock for six years. The key carries the hash: a forged twin lies beside, and both are seen. */
import { hash } from 'node:crypto'
import type { ObjectStore } from '../../engine/index.ts'
import { readCheckpoint } from '../seal/checkpoint.ts'
import { type AuditSink, printRecord, RETAIN_DAYS } from './sink.ts'

const DAY_MS = 86_400_000

/** @param held false for a store that holds nothing: a folder on this machine */
export function makeObjectSink(store: ObjectStore, held: boolean): AuditSink {
  return {
    name: store.name,
    isElsewhere: held,
    async deliver(record) {
      const twin = hash('sha256', record.checkpoint, 'hex').slice(0, 16)
      const key = `checkpoints/${String(record.batch).padStart(12, '0')}-${twin}.json`
      const time = readCheckpoint(record.checkpoint)?.time ?? 0
      const retain = held ? { retainUntil: new Date(time + RETAIN_DAYS * DAY_MS) } : {}
      await store.put(key, Buffer.from(`${printRecord(record)}\n`), retain)
    },
  }
}
