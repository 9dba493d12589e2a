/**
 * IEEE 11073-20601 numbers: SFLOAT (16 bits) and FLOAT (32 bits), little-endian in Bluetooth. Their reserved words are states,
 * never numbers: 0x07FF is "not a number", not 2047.
 */
import type { AbsentReason, Value } from '@careloop/contract'

const SPECIAL_16: ReadonlyMap<number, AbsentReason> = new Map([
  [0x07ff, 'not-a-number'],
  [0x0800, 'not-at-this-resolution'],
  [0x07fe, 'positive-infinity'],
  [0x0802, 'negative-infinity'],
  [0x0801, 'reserved'],
])

const SPECIAL_32: ReadonlyMap<number, AbsentReason> = new Map([
  [0x007fffff, 'not-a-number'],
  [0x00800000, 'not-at-this-resolution'],
  [0x007ffffe, 'positive-infinity'],
  [0x00800002, 'negative-infinity'],
  [0x00800001, 'reserved'],
])

/**
 * @param word the 16 bits, 0..0xFFFF
 * @param shift power of ten to multiply by, so that 58 x 10^-4 mol/L is exactly 5.8 mmol/L
 */
export function sfloat(word: number, shift = 0): Value {
  const special = SPECIAL_16.get(word)
  if (special !== undefined) return { absent: special }
  return decimal(signed(word & 0x0fff, 12), signed(word >>> 12, 4) + shift)
}

/** @param word the 32 bits, 0..0xFFFFFFFF */
export function float(word: number): Value {
  const special = SPECIAL_32.get(word)
  if (special !== undefined) return { absent: special }
  const value = decimal(signed(word & 0x00ff_ffff, 24), signed(word >>> 24, 8))
  return value
}

/** mantissa x 10^exponent as the double nearest to it: what the decimal text would parse to. */
function decimal(mantissa: number, exponent: number): number {
  if (mantissa === 0) return 0
  if (exponent === 0) return mantissa
  if (exponent > 0 && exponent <= 6) return mantissa * 10 ** exponent
  if (exponent < 0 && exponent >= -22) return mantissa / 10 ** -exponent
  return Number(`${mantissa}e${exponent}`)
}

const signed = (bits: number, width: number): number => (bits >= 2 ** (width - 1) ? bits - 2 ** width : bits)
