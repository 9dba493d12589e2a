import { isOdd } from './tree.ts'
import { type Bounds, Unreadable } from './unreadable.ts'

export interface Scanned {
  /** Members of all objects, duplicates counted. */
  readonly members: number
  /** True when some number would lose its spelling. */
  readonly hasOdd: boolean
}

const quote = 0x22
const backslash = 0x5c

/**
 * One pass over the text before it is parsed: how deep it goes, how many members it names, and whether a number in it would be
 * spelled otherwise by JavaScript. Strings are jumped over, so it costs a few microseconds for an Observation. It does not judge
 * the grammar: `JSON.parse` does.
 */
export function scan(text: string, bounds: Bounds): Scanned {
  if (text.length > bounds.maxLength) {
    throw new Unreadable(
      'too-long',
      'size',
      `The text is longer than ${bounds.maxLength} characters: send less at once.`,
    )
  }
  let depth = 0
  let members = 0
  let hasOdd = false
  for (let at = 0; at < text.length; at++) {
    const unit = text.charCodeAt(at)
    if (unit === quote) {
      at = endOfString(text, at)
      if (at < 0) break
    } else if (unit === 0x3a) members++
    else if (unit === 0x7b || unit === 0x5b) {
      if (++depth > bounds.maxDepth) {
        throw new Unreadable('too-costly', 'depth', `The text nests deeper than ${bounds.maxDepth}: send it flatter.`)
      }
    } else if (unit === 0x7d || unit === 0x5d) depth--
    else if (startsNumber(unit)) {
      const from = at
      while (goesOn(text.charCodeAt(at + 1))) at++
      hasOdd ||= isOdd(text.slice(from, at + 1))
    }
  }
  return { members, hasOdd }
}

/** Index of the closing quote, or -1 when there is none. */
export function endOfString(text: string, from: number): number {
  for (let at = text.indexOf('"', from + 1); at >= 0; at = text.indexOf('"', at + 1)) {
    let slashes = 0
    while (text.charCodeAt(at - 1 - slashes) === backslash) slashes++
    if (slashes % 2 === 0) return at
  }
  return -1
}

const minus = 0x2d

/** What a number starts with; letters are left to `goesOn`, so that `true` is not taken for one. */
function startsNumber(unit: number): boolean {
  return (unit >= 0x30 && unit <= 0x39) || unit === minus
}

function goesOn(unit: number): boolean {
  return startsNumber(unit) || unit === 0x2e || unit === 0x2b || unit === 0x65 || unit === 0x45
}
