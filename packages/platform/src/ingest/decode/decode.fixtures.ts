/** Names for tests of decoders, without a profile. */
import type { Names } from './names.ts'

const known: Readonly<Record<string, { signal: string; unit: string }>> = {
  hr: { signal: 'heart-rate', unit: '/min' },
  spo2: { signal: 'spo2', unit: '%' },
  temp: { signal: 'body-temperature', unit: 'Cel' },
}

export const someNames: Names = { find: (key) => (Object.hasOwn(known, key) ? known[key] : undefined) }

export const bytesOf = (payload: unknown): Buffer =>
  Buffer.from(typeof payload === 'string' ? payload : JSON.stringify(payload))
