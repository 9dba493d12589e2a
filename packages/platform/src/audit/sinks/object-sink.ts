/** Checkpoints as objects, held by object lock for six years. The key carries the hash: a forged twin lies beside, and both are seen. */
import { hash } from 'node:crypto'
import type { ObjectStore } from '../../engine/index.ts'
import { readCheckpoint } from '../seal/checkpoint.ts'
import { type AuditSink, printRecord, RETAIN_DAYS } from './sink.ts'

const DAY_MS = 86_400_000
const [FOLDER, DIGITS] = ['checkpoints/', 12]

/** @param held false for a store that holds nothing: a folder */
export function makeObjectSink(store: ObjectStore, held: boolean, isElsewhere: boolean): AuditSink {
  return {
    name: store.name,
    isElsewhere,
    newest: () => newestNotes(store, held),
    async deliver(record) {
      const twin = hash('sha256', record.checkpoint, 'hex').slice(0, 16)
      const key = `${FOLDER}${String(record.batch).padStart(DIGITS, '0')}-${twin}.json`
      const time = readCheckpoint(record.checkpoint)?.time ?? 0
      const retain = held ? { retainUntil: new Date(time + RETAIN_DAYS * DAY_MS) } : {}
      await store.put(key, Buffer.from(`${printRecord(record)}\n`), retain)
    },
  }
}

async function newestNotes(store: ObjectStore, isBucket: boolean): Promise<string[]> {
  const prefix = isBucket ? await byDigits(store) : await byWholeList(store)
  const notes: string[] = []
  if (prefix === undefined) return notes
  for await (const { key } of store.list(prefix)) {
    const note = noteOf(await store.get(key))
    if (note !== undefined) notes.push(note)
  }
  return notes
}

/** Millions of objects, a thousand a page: the first of each digit is asked for, the highest first, a hundred short requests. */
async function byDigits(store: ObjectStore): Promise<string | undefined> {
  let prefix = FOLDER
  for (let place = 0; place < DIGITS; place++) {
    let digit = 9
    while (digit >= 0 && !(await hasAny(store, `${prefix}${digit}`))) digit -= 1
    if (digit < 0) return undefined
    prefix = `${prefix}${digit}`
  }
  return `${prefix}-`
}

async function hasAny(store: ObjectStore, prefix: string): Promise<boolean> {
  for await (const _ of store.list(prefix)) return true
  return false
}

/** A folder is read whole in any case. */
async function byWholeList(store: ObjectStore): Promise<string | undefined> {
  let newest: string | undefined
  for await (const { key } of store.list(FOLDER)) newest = /^checkpoints\/\d{12}-/.exec(key)?.[0] ?? newest
  return newest
}

function noteOf(bytes: Buffer | null): string | undefined {
  try {
    const said = JSON.parse(bytes?.toString('utf8') ?? '') as { checkpoint?: unknown }
    return typeof said.checkpoint === 'string' ? said.checkpoint : undefined
  } catch {
    return undefined
  }
}
