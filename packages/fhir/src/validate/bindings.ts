import { type ValueSet, valueSet } from '../definitions/index.ts'
import { type Loose, list, loose } from './invariant.ts'
import type { Run } from './run.ts'

/** Checks a value that has the right structure against the codes that it must be of. */
export type BindingCheck = (value: unknown, run: Run) => void

/** The check of a required binding for an element of this type; undefined when nothing can be said. */
export function bindingCheck(url: string | undefined, type: string): BindingCheck | undefined {
  const set = url === undefined ? undefined : valueSet(url)
  if (set === undefined) return undefined
  if (type === 'CodeableConcept') return (value, run) => checkConcept(set, loose(value), run)
  if (type === 'Coding' || type === 'Quantity') return (value, run) => checkCoding(set, loose(value), run)
  if (type === 'code' || type === 'string' || type === 'uri') return (value, run) => checkCode(set, value, run)
  return undefined
}

function checkCode(set: ValueSet, value: unknown, run: Run): void {
  if (typeof value === 'string' && !set.hasCode(value)) run.error('code-invalid', 'binding', wanted(set))
}

/** A coding without a code says nothing yet: whether it may be so is for cardinality to say. */
function checkCoding(set: ValueSet, coding: Loose, run: Run): void {
  if (typeof coding.code !== 'string') return
  if (typeof coding.system !== 'string' || !set.has(coding.system, coding.code)) {
    run.error('code-invalid', 'binding', wanted(set), 'code')
  }
}

/** One of the codings must be of the set; the others may be what the sender knows it by. */
function checkConcept(set: ValueSet, concept: Loose, run: Run): void {
  const isBound = list(concept.coding).some((item) => {
    const coding = loose(item)
    return typeof coding.system === 'string' && typeof coding.code === 'string' && set.has(coding.system, coding.code)
  })
  if (!isBound) run.error('code-invalid', 'binding', wanted(set), 'coding')
}

function wanted(set: ValueSet): string {
  const codes = set.some(13)
  const some = codes.length > 0 && codes.length < 13 ? `: ${codes.join(', ')}` : ''
  return `The code is not one of ${set.url}. Send one of its codes${some}, with its system where the element has one.`
}
