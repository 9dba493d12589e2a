/**
 * What a gateway wraps around a device's bytes: a JSON object with the bytes as hex or base64, who sent them and when the gateway
 * heard them. Everything a stranger can get wrong is refused with a JSON pointer.
 */
import type { DecodedFrame, DecodedReading, EpochMs } from '@careloop/contract'
import { fail } from './errors.ts'
import type { DecodeContext } from './profile.ts'

export type JsonObject = { readonly [key: string]: unknown }

export const isJson = (bytes: Uint8Array): boolean => bytes[0] === 0x7b

export const isObject = (value: unknown): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

const utf8 = new TextDecoder('utf-8', { fatal: true })

/** @throws Failure `frame-invalid` when the bytes are not one JSON object in UTF-8 */
export function parseObject(bytes: Uint8Array): JsonObject {
  let value: unknown
  try {
    value = JSON.parse(utf8.decode(bytes))
  } catch {
    throw fail('frame-invalid', 'This is not JSON in UTF-8.', { pointer: '' })
  }
  if (!isObject(value)) throw fail('frame-invalid', 'Send one JSON object.', { pointer: '' })
  return value
}

/** The object at a key; an absent one is empty. */
export function objectAt(object: JsonObject, key: string, pointer: string): JsonObject {
  const value = object[key]
  if (value === undefined || value === null) return {}
  if (!isObject(value)) throw fail('frame-invalid', 'Send a JSON object here.', { pointer })
  return value
}

/** A string at a key; null and absent are undefined. */
export function textAt(object: JsonObject, key: string, pointer: string): string | undefined {
  const value = object[key]
  if (value === undefined || value === null) return undefined
  if (typeof value !== 'string') throw fail('frame-invalid', 'Send text here.', { pointer })
  return value
}

/** A finite number at a key; null and absent are undefined. */
export function numberAt(object: JsonObject, key: string, pointer: string): number | undefined {
  const value = object[key]
  if (value === undefined || value === null) return undefined
  if (typeof value !== 'number' || !Number.isFinite(value))
    throw fail('frame-invalid', 'Send a number here.', { pointer })
  return value
}

export function fromHex(text: string, pointer: string): Uint8Array {
  const compact = text.replace(/[\s:-]/g, '')
  if (compact.length % 2 !== 0 || !/^[0-9a-fA-F]*$/.test(compact)) {
    throw fail('frame-invalid', 'These are not bytes in hexadecimal.', { pointer })
  }
  return Buffer.from(compact, 'hex')
}

export function fromBase64(text: string, pointer: string): Uint8Array {
  if (!/^[A-Za-z0-9+/_-]*={0,2}$/.test(text)) {
    throw fail('frame-invalid', 'These are not bytes in base64.', { pointer })
  }
  return Buffer.from(text, 'base64')
}

const EARLIEST = Date.UTC(2000, 0, 1)
const LATEST = Date.UTC(2200, 0, 1)

/** RFC 3339 text with a zone, or Unix time as number or digits: seconds below 10^11, else milliseconds. */
export function instant(value: unknown, pointer: string): EpochMs | undefined {
  if (value === undefined || value === null) return undefined
  const numeric = typeof value === 'string' && /^\d{9,14}$/.test(value) ? Number(value) : value
  if (typeof numeric === 'number') {
    const ms = Math.round(numeric < 1e11 ? numeric * 1000 : numeric)
    if (ms >= EARLIEST && ms < LATEST) return ms
  } else if (typeof numeric === 'string' && /^\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d.*([Zz]|[+-]\d\d:?\d\d)$/.test(numeric)) {
    const ms = Date.parse(numeric)
    if (ms >= EARLIEST && ms < LATEST) return ms
  }
  throw fail('frame-invalid', 'Send a time as RFC 3339 with its zone, or as Unix milliseconds.', { pointer })
}

/** Refuses a frame that names another device than the enrolled one. */
export function checkAddress(address: string | undefined, context: DecodeContext, pointer: string): void {
  if (address === undefined || context.address === undefined) return
  if (bareAddress(address) !== bareAddress(context.address)) {
    throw fail('frame-wrong-device', 'The frame names another device than the one it was sent for.', { pointer })
  }
}

export const bareAddress = (address: string): string => address.replace(/[:\s-]/g, '').toLowerCase()

/** Gives the gateway's time to readings whose device told none that can be used. */
export function heardAt(frame: DecodedFrame, ts: EpochMs | undefined): DecodedFrame {
  if (ts === undefined) return frame
  const readings = frame.readings.map(
    (reading): DecodedReading => (reading.time === undefined ? { ...reading, time: { epochMs: ts } } : reading),
  )
  return { ...frame, readings }
}
