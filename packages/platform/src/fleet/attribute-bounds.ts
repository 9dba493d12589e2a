/**
 * How much a device may tell of itself. Attributes add up over its messages, each of which is bounded by its door: without a bound
 * on the whole, one device could make its row so large that the status of all devices comes to a stand.
 */
import type { DeviceReported } from '@careloop/contract'

type Attributes = DeviceReported['attributes']

/** Text and key lengths in UTF-8 bytes; the whole counts keys and values as JSON. */
export const attributeBounds = { keys: 200, keyBytes: 256, valueBytes: 1024, totalBytes: 32 * 1024 } as const

/** Stands among a device's attributes when some were dropped, and says why the last one was. Not the device's to set. */
export const droppedKey = 'careloop:attributes-dropped'

export type DropReason = 'key-too-long' | 'value-too-long' | 'too-many' | 'too-large'

export interface Merged {
  readonly attributes: Attributes
  readonly dropped: readonly DropReason[]
}

/** Pure: what a device has told and tells now, within bounds. What is known is kept; what does not fit is dropped. */
export function mergeAttributes(known: Attributes, told: Attributes): Merged {
  const merged = new Map(Object.entries(known))
  const dropped: DropReason[] = []
  // Also what was stored before there were bounds.
  let keys = 0
  let bytes = 0
  for (const [key, value] of merged) {
    if (key === droppedKey) continue
    const size = sizeOf(key, value)
    const why = faultOf(key, value) ?? roomFault(keys + 1, bytes + size)
    if (why) {
      dropped.push(why)
      merged.delete(key)
    } else {
      keys += 1
      bytes += size
    }
  }
  for (const [key, value] of Object.entries(told)) {
    if (key === droppedKey) continue
    const before = merged.get(key)
    const after = bytes + sizeOf(key, value) - (before === undefined ? 0 : sizeOf(key, before))
    const why = faultOf(key, value) ?? roomFault(before === undefined ? keys + 1 : keys, after)
    if (why) {
      dropped.push(why)
      continue
    }
    if (before === undefined) keys += 1
    bytes = after
    merged.set(key, value)
  }
  if (dropped.length > 0) merged.set(droppedKey, dropped.at(-1)!)
  return { attributes: Object.fromEntries(merged), dropped }
}

const sizeOf = (key: string, value: Attributes[string]): number =>
  Buffer.byteLength(key) + Buffer.byteLength(JSON.stringify(value)) + 4

function faultOf(key: string, value: Attributes[string]): DropReason | null {
  if (Buffer.byteLength(key) > attributeBounds.keyBytes) return 'key-too-long'
  return typeof value === 'string' && Buffer.byteLength(value) > attributeBounds.valueBytes ? 'value-too-long' : null
}

function roomFault(keys: number, bytes: number): DropReason | null {
  if (keys > attributeBounds.keys) return 'too-many'
  return bytes > attributeBounds.totalBytes ? 'too-large' : null
}
