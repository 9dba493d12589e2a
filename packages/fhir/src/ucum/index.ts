export {
  type CanonicalQuantity,
  canonicalQuantity,
  convert,
  GLUCOSE_GRAMS_PER_MOLE,
  gramsPerMoleOf,
} from './canonical.ts'
export { type Unit, unitOf } from './unit.ts'
