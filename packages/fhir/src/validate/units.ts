import { unitOf } from '../ucum/index.ts'
import { has, type Invariant, loose } from './invariant.ts'

const UCUM = 'http://unitsofmeasure.org'
const QUANTITIES: ReadonlySet<string> = new Set(['Quantity', 'Age', 'Count', 'Distance', 'Duration'])

/** A quantity that says its unit is of UCUM must carry one: `beats/min`, `mmHg` and `bpm` are none. */
const ucum: Invariant = {
  key: 'ucum',
  severity: 'error',
  human:
    'The unit is said to be of UCUM and is none. Send the UCUM code (`/min`, `mm[Hg]`, `Cel`, `%`) as `code`, and what people read as `unit`.',
  holds(value) {
    const { system, code } = loose(value)
    return system !== UCUM || typeof code !== 'string' || unitOf(code) !== null
  },
}

/** Of a SimpleQuantity: `<` and `>` have no meaning there (R4 sqty-1). */
export const simpleQuantity: Invariant = {
  key: 'sqty-1',
  severity: 'error',
  human: 'The comparator is not used on a SimpleQuantity.',
  holds: (value) => !has(loose(value), 'comparator'),
}

/** Rules of ours for the types that carry a unit. */
export function quantityInvariants(content: string): readonly Invariant[] {
  return QUANTITIES.has(content) ? [ucum] : []
}
