/** Decoding one section of an advertisement, with pointers that say where in the whole frame a fault lies. */
import { type DecodedFrame, type DecodedReading, Failure } from '@careloop/contract'
import { heardAt } from '../envelope.ts'
import type { Advertisement, Section } from './advertisement.ts'

/** Runs a decoder on a section; its `@offset` becomes the offset in the frame, or stands behind the JSON pointer. */
export function inSection(section: Section, decode: (bytes: Uint8Array) => DecodedFrame): DecodedFrame {
  try {
    return decode(section.bytes)
  } catch (error) {
    if (!(error instanceof Failure) || !error.pointer.startsWith('@')) throw error
    const offset = Number(error.pointer.slice(1))
    const pointer = section.pointer.startsWith('@')
      ? `@${Number(section.pointer.slice(1)) + offset + 2}`
      : section.pointer
    throw new Failure(error.code, error.kind, error.message, { pointer, cause: error })
  }
}

/** Adds what the gateway knows: how loud it heard the device, and when. */
export function asHeard(frame: DecodedFrame, advertisement: Advertisement): DecodedFrame {
  const { rssi, ts, address } = advertisement
  const heard: DecodedReading[] = rssi === undefined ? [] : [{ signal: 'signal-strength', value: rssi, unit: '{dBm}' }]
  const attributes = { ...frame.attributes, ...(address === undefined ? {} : { address }) }
  return heardAt(
    {
      ...frame,
      readings: [...frame.readings, ...heard],
      ...(Object.keys(attributes).length > 0 ? { attributes } : {}),
    },
    ts,
  )
}
