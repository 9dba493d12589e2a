/** From the objects of a BTHome payload to readings. Several objects of one kind are several sensors: signals `x`, `x-2`, `x-3`. */
import { type DecodedFrame, type DecodedReading, nthSignal, type SignalCode, type Value } from '@careloop/contract'
import { type ByteReader, toHex } from '../byte-reader.ts'
import type { BtHomeObject } from './bthome-objects.ts'

/** How version 1 says a number is written; version 2 takes it from the object. */
export type NumberForm = 'unsigned' | 'signed' | 'float'

/** Gathers what the objects of one payload say. */
export class BtHomePayload {
  readonly #readings: DecodedReading[] = []
  readonly #attributes: Record<string, string | number | boolean> = {}
  readonly #warnings: string[] = []
  readonly #seen = new Map<SignalCode, number>()

  /** @param form undefined = as the object says */
  add(object: BtHomeObject, data: Uint8Array, form?: NumberForm): void {
    switch (object.kind) {
      case 'number':
        this.#number(object, data, form ?? (object.signed ? 'signed' : 'unsigned'))
        break
      case 'state':
        this.#reading(object.signal, toNumber(data, 'unsigned') === 0 ? 0 : 1, '1')
        break
      case 'button':
        this.#event('button', data[0] ?? 0, (code) => code)
        break
      case 'dimmer':
        this.#event('dimmer-steps', data[0] ?? 0, (code) => (code === 1 ? -1 : 1) * (data[1] ?? 0))
        break
      case 'packet-id':
        this.#attribute('packetId', toNumber(data, 'unsigned'))
        break
      case 'timestamp':
        this.#attribute('timestamp', new Date(toNumber(data, 'unsigned') * 1000).toISOString())
        break
      case 'text':
        this.#text(data)
        break
      case 'raw':
        this.#attribute('raw', toHex(data))
        break
      case 'attribute':
        this.#attribute(object.name, object.form === 'version' ? version(data) : toNumber(data, 'unsigned'))
        break
    }
  }

  attribute(name: string, value: string | number | boolean): void {
    this.#attributes[name] = value
  }

  warn(warning: string): void {
    if (!this.#warnings.includes(warning)) this.#warnings.push(warning)
  }

  get isEmpty(): boolean {
    return this.#readings.length === 0 && this.#seen.size === 0 && Object.keys(this.#attributes).length === 0
  }

  frame(): DecodedFrame {
    return {
      readings: this.#readings,
      ...(Object.keys(this.#attributes).length > 0 ? { attributes: this.#attributes } : {}),
      ...(this.#warnings.length > 0 ? { warnings: this.#warnings } : {}),
    }
  }

  #number(object: Extract<BtHomeObject, { kind: 'number' }>, data: Uint8Array, form: NumberForm): void {
    const raw = toNumber(data, form)
    const value: Value = Number.isFinite(raw) ? (raw * object.times) / object.per : { absent: whyNot(raw) }
    this.#reading(object.signal, value, object.unit)
  }

  /** An event of code 0 is none; it still counts, for the second button is the second whether or not the first was pressed. */
  #event(signal: SignalCode, code: number, toValue: (code: number) => number): void {
    if (code === 0) this.#nth(signal)
    else this.#reading(signal, toValue(code), '1')
  }

  #text(data: Uint8Array): void {
    try {
      this.#attribute('text', new TextDecoder('utf-8', { fatal: true }).decode(data))
    } catch {
      this.warn('A text of the device is not UTF-8; its bytes are kept in textBytes.')
      this.#attribute('textBytes', toHex(data))
    }
  }

  #reading(signal: SignalCode, value: Value, unit: string): void {
    this.#readings.push({ signal: this.#nth(signal), value, unit })
  }

  #nth(signal: SignalCode): SignalCode {
    const nth = (this.#seen.get(signal) ?? 0) + 1
    this.#seen.set(signal, nth)
    return nthSignal(signal, nth)
  }

  #attribute(name: string, value: string | number): void {
    let free = name
    for (let nth = 2; free in this.#attributes; nth++) free = `${name}${nth}`
    this.#attributes[free] = value
  }
}

function toNumber(data: Uint8Array, form: NumberForm): number {
  const buffer = Buffer.from(data.buffer, data.byteOffset, data.byteLength)
  if (form === 'float') return toFloat(buffer)
  return form === 'signed' ? buffer.readIntLE(0, buffer.length) : buffer.readUIntLE(0, buffer.length)
}

function toFloat(buffer: Buffer): number {
  if (buffer.length === 8) return buffer.readDoubleLE(0)
  // The shortest decimal that is this float: 25.06 as float32 is 25.059999465942383 only in a double.
  if (buffer.length === 4) return Number(buffer.readFloatLE(0).toPrecision(7))
  const bits = buffer.readUInt16LE(0)
  const exponent = (bits >> 10) & 31
  const fraction = bits & 1023
  const sign = bits & 0x8000 ? -1 : 1
  if (exponent === 31) return fraction === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN
  return Number(
    (sign * (exponent === 0 ? fraction * 2 ** -24 : (1024 + fraction) * 2 ** (exponent - 25))).toPrecision(4),
  )
}

const whyNot = (raw: number) =>
  Number.isNaN(raw) ? 'not-a-number' : raw > 0 ? 'positive-infinity' : ('negative-infinity' as const)

/** Little-endian: the last byte is the major number. */
const version = (data: Uint8Array): string => [...data].reverse().join('.')

/** Bytes of an object of version 2 that carries its own length or a fixed one. */
export function takeObject(object: BtHomeObject, reader: ByteReader): Uint8Array {
  switch (object.kind) {
    case 'number':
    case 'attribute':
      return reader.take(object.bytes, 'value')
    case 'timestamp':
      return reader.take(4, 'timestamp')
    case 'text':
    case 'raw':
      return reader.take(reader.u8('length'), 'bytes')
    case 'dimmer':
      // "None" is specified as one byte and sent by some as two.
      return reader.remaining === 1 && reader.bytes[reader.offset] === 0
        ? reader.take(1, 'event')
        : reader.take(2, 'event')
    default:
      return reader.take(1, 'value')
  }
}
