import type { NumberValue, Prefix } from './search.ts'

/** A number as it is written in a search, with the span that its digits imply; null when it is none. */
export function numberOf(text: string, prefix: Prefix): NumberValue | null {
  const match = /^[+-]?\d+(?:\.(\d+))?(?:[eE]([+-]?\d+))?$/.exec(text)
  if (match === null) return null
  const value = Number(text)
  const half = 0.5 * 10 ** (Number(match[2] ?? 0) - (match[1]?.length ?? 0))
  const tenth = Math.abs(value) * 0.1
  return prefix === 'ap'
    ? { prefix, value, low: clean(value - tenth), high: clean(value + tenth) }
    : { prefix, value, low: clean(value - half), high: clean(value + half) }
}

/** Floats carry dust in their last digits. */
const clean = (value: number): number => Number(value.toPrecision(14))

/** Numbers that a value may be: one where `low` is `high`. */
export interface Extent {
  readonly low: number
  readonly high: number
}

/** FHIR R4 search 3.1.1.4.9: `low` and `high` of what was asked for take part in equality only; order is by the number itself. */
export function fitsNumber({ low, high }: Extent, wanted: NumberValue): boolean {
  switch (wanted.prefix) {
    case 'eq':
      return isWithin({ low, high }, wanted)
    case 'ne':
      return !isWithin({ low, high }, wanted)
    case 'gt':
      return high > wanted.value
    case 'lt':
      return low < wanted.value
    case 'ge':
      return high >= wanted.value
    case 'le':
      return low <= wanted.value
    case 'sa':
      return low > wanted.value
    case 'eb':
      return high < wanted.value
    case 'ap':
      return low <= wanted.high && high >= wanted.low
  }
}

const isWithin = ({ low, high }: Extent, wanted: NumberValue): boolean =>
  low === high ? low >= wanted.low && low < wanted.high : low >= wanted.low && high <= wanted.high
