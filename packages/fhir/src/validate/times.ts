/**
 * FHIR dates and times in order, as FHIRPath orders them: negative when `a` is before `b`, 0 when they are the same,
 * undefined when their precision leaves it open (2024-05 and 2024-05-03) or one is no date.
 */
export function compareTimes(a: unknown, b: unknown): number | undefined {
  const left = partsOf(a)
  const right = partsOf(b)
  if (left === undefined || right === undefined) return undefined
  if (left.at !== undefined && right.at !== undefined) return left.at - right.at
  const length = Math.min(left.day.length, right.day.length)
  for (let index = 0; index < length; index++) {
    const difference = left.day[index]! - right.day[index]!
    if (difference !== 0) return difference
  }
  return left.day.length === right.day.length && left.at === right.at ? 0 : undefined
}

interface Parts {
  /** Year, month, day, as far as they are given. */
  readonly day: readonly number[]
  /** ms since 1970 when there is a time. */
  readonly at: number | undefined
}

function partsOf(value: unknown): Parts | undefined {
  if (typeof value !== 'string') return undefined
  const [day = '', time] = value.split('T')
  const parts = day.split('-').map(Number)
  if (parts.some(Number.isNaN)) return undefined
  return { day: parts, at: time === undefined ? undefined : Date.parse(value.replace(/:60(\.\d+)?/, ':59.999')) }
}
