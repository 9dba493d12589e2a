/** 32-bit FNV-1a over bytes: tells other content from the same content of one device; never used for security. */
export function hashBytes(bytes: Uint8Array): number {
  let hash = 0x811c9dc5
  for (let i = 0; i < bytes.length; i++) hash = Math.imul(hash ^ bytes[i]!, 0x01000193)
  return hash >>> 0
}

/** What identifies a reading inside a numbered message, alike before and after it was settled. */
export interface Said {
  readonly signal: string
  readonly value: unknown
  readonly time: number | undefined
  readonly ordinal: number
}

/** Content of a numbered message that came in an envelope: its readings, not what a gateway wrote around them. */
export function hashReadings(readings: readonly Said[]): number {
  return hashBytes(
    Buffer.from(
      JSON.stringify(readings.map(({ signal, value, time, ordinal }) => [signal, value, time ?? null, ordinal])),
    ),
  )
}

const double = new Float64Array(1)
const words = new Uint32Array(double.buffer)

/** Hash of a reading's value; equal for equal doubles. */
export function hashValue(value: unknown): number {
  if (typeof value !== 'number') return hashBytes(Buffer.from(JSON.stringify(value)))
  double[0] = value
  return (Math.imul(words[0]! ^ 0x9e3779b9, 0x85ebca6b) ^ Math.imul(words[1]! + 0x165667b1, 0xc2b2ae35)) >>> 0
}
