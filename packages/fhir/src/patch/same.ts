import { type FhirValue, isExact, isList, isObject } from '../json/tree.ts'

/** Equality as RFC 6902 section 4.6 has it: numbers by value however they are spelled, objects without regard to order. */
export function isSame(one: FhirValue, other: FhirValue): boolean {
  if (one === other) return true
  const spelled = spelling(one)
  if (spelled !== undefined) {
    const against = spelling(other)
    return against !== undefined && canonical(spelled) === canonical(against)
  }
  if (isList(one)) {
    return isList(other) && one.length === other.length && one.every((item, at) => isSame(item, other[at] as FhirValue))
  }
  if (!isObject(one) || !isObject(other)) return false
  const names = Object.keys(one)
  return (
    names.length === Object.keys(other).length &&
    names.every((name) => Object.hasOwn(other, name) && isSame(one[name] as FhirValue, other[name] as FhirValue))
  )
}

function spelling(value: FhirValue): string | undefined {
  if (typeof value === 'number') return String(value)
  return isExact(value) ? value.rawJSON : undefined
}

/** `-1.50e3` and `-1500` both give `-15e2`: digits without zeros at either end, and the power of ten; all digits count. */
function canonical(spelled: string): string {
  const [, sign, whole = '', part = '', power = '0'] = /^(-?)(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d+))?$/.exec(spelled) ?? []
  const digits = (whole + part).replace(/^0+/, '')
  const short = digits.replace(/0+$/, '')
  if (short === '') return '0'
  return `${sign}${short}e${BigInt(power) - BigInt(part.length) + BigInt(digits.length - short.length)}`
}
