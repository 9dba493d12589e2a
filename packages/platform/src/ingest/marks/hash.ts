/** 32-bit FNV-1a over bytes: tells other content from the same content of one device; never used for security. */
export function hashBytes(bytes: Uint8Array): number {
  let hash = 0x811c9dc5
  for (let i = 0; i < bytes.length; i++) hash = Math.imul(hash ^ bytes[i]!, 0x01000193)
  return hash >>> 0
}

const double = new Float64Array(1)
const words = new Uint32Array(double.buffer)

/** Hash of a reading's value; equal for equal doubles. */
export function hashValue(value: unknown): number {
  if (typeof value !== 'number') return hashBytes(Buffer.from(JSON.stringify(value)))
  double[0] = value
  return (Math.imul(words[0]! ^ 0x9e3779b9, 0x85ebca6b) ^ Math.imul(words[1]! + 0x165667b1, 0xc2b2ae35)) >>> 0
}
