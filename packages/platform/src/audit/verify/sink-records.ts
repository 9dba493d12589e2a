/** What a sink kept, as files: objects of a bucket, posted bodies, or lines of a syslog. */
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { readCheckpoint } from '../seal/checkpoint.ts'

export interface KeptRecord {
  readonly checkpoint: string
  /** Absent where the sink takes checkpoints only (syslog). */
  readonly leaves?: Buffer
}

/** By batch; several of one batch mean that somebody signed twice. */
export type SinkRecords = ReadonlyMap<number, readonly KeptRecord[]>

/** @param paths files, or folders that are read with all below */
export function readSinkRecords(paths: readonly string[]): SinkRecords {
  const found = new Map<number, KeptRecord[]>()
  for (const path of paths.flatMap(filesBelow))
    for (const line of readFileSync(path, 'utf8').split('\n')) keep(found, line)
  return found
}

function filesBelow(path: string): string[] {
  if (!statSync(path).isDirectory()) return [path]
  return readdirSync(path, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
}

/** A line of syslog carries time and host before the record. */
function keep(found: Map<number, KeptRecord[]>, line: string): void {
  const start = line.indexOf('{"checkpoint":')
  if (start < 0) return
  const record = parse(line.slice(start))
  const batch = record && readCheckpoint(record.checkpoint)?.batch
  if (record === undefined || batch === undefined) return
  const others = found.get(batch) ?? []
  if (others.some(({ checkpoint, leaves }) => checkpoint === record.checkpoint && leaves)) return
  found.set(batch, [...others.filter(({ checkpoint }) => checkpoint !== record.checkpoint), record])
}

function parse(text: string): KeptRecord | undefined {
  try {
    const said = JSON.parse(text) as { checkpoint?: unknown; leaves?: unknown }
    if (typeof said.checkpoint !== 'string') return undefined
    const leaves = typeof said.leaves === 'string' ? { leaves: Buffer.from(said.leaves, 'base64') } : {}
    return { checkpoint: said.checkpoint, ...leaves }
  } catch {
    return undefined
  }
}
