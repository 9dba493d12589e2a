/**
 * What is unusual about who saw what, decided in pure functions over what the trail says of a day. A finding is a question to a person
 * and no judgement: a colleague may have covered for three others that day.
 */
import { wordsIn } from '../subjects/index.ts'

/** Fewer records a day than this are never many, whatever is usual. */
export const volumeFloor = 40
/** So many times the usual is unusual. */
export const volumeFactor = 3
/** Days that tell what is usual. */
export const usualDays = 28

export interface Volume {
  readonly user: string
  readonly count: number
  readonly usual: number
}

/**
 * @param before records a day of each user in the 28 days before; days without any are not counted: people have days off
 * @param today records of the day that is judged
 */
export function unusualVolumes(
  before: ReadonlyMap<string, readonly number[]>,
  today: ReadonlyMap<string, number>,
): Volume[] {
  return [...today].flatMap(([user, count]) => {
    const usual = median(before.get(user) ?? [])
    return count > volumeFloor && count > volumeFactor * usual ? [{ user, count, usual }] : []
  })
}

/** 0 for nothing at all: whoever begins and sees very many on the first day is asked about it. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b)
  const middle = sorted.length >> 1
  if (sorted.length === 0) return 0
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2
}

/** A particle or an initial says nothing of kinship. */
const leastLetters = 3

/**
 * Whether a member of staff and a patient may be one person or family: they share a family name, whatever
 * its case and accents.
 * @param staffName as colleagues see it, in any order
 * @param patientName `Family, Given`
 */
export function sharesName(staffName: string, patientName: string): boolean {
  const family = wordsOf(patientName.split(',', 1)[0]!)
  const own = new Set(wordsOf(staffName))
  return family.some((word) => own.has(word))
}

const wordsOf = (text: string): string[] => wordsIn(text).filter((word) => word.length >= leastLetters)
