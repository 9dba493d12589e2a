import { constraint } from '../../definitions/index.ts'
import { type Invariant, loose } from '../invariant.ts'
import { bundleClosures } from './bundle.ts'
import { type Closure, dataTypeClosures } from './datatypes.ts'
import { holdsByFhirpath } from './fhirpath.ts'
import { questionnaireClosures } from './questionnaire.ts'
import { resourceClosures } from './resources.ts'

/** All rules that have a closure, by the key of the definitions (`inv-1@Task` where a key has two meanings). */
export const closures: Readonly<Record<string, Closure>> = {
  ...dataTypeClosures,
  ...resourceClosures,
  ...bundleClosures,
  ...questionnaireClosures,
}

/**
 * Not checked: dom-6 is the advice to write a narrative, which nobody does for what devices measure (R4 calls it a best
 * practice); its warning on each Observation would hide the ones that matter.
 */
const UNCHECKED: ReadonlySet<string> = new Set(['dom-6'])

/** The rules that the definitions name for an element, ready to run. `base` is its path there. */
export function invariantsOf(keys: readonly string[], base: string): readonly Invariant[] {
  return keys.filter((key) => !UNCHECKED.has(key)).map((key) => invariant(key, base))
}

function invariant(name: string, base: string): Invariant {
  const { key, severity, human, expression } = constraint(name)
  const closure = closures[name]
  const holds: Invariant['holds'] =
    closure === undefined
      ? (value, frame) => holdsByFhirpath(base, expression, value, frame)
      : (value, frame) => closure(loose(value), frame, value)
  return { key, severity, human, holds }
}
