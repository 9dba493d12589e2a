export {
  acceptedUnits,
  allSignals,
  type CanonicalValue,
  isPlausible,
  nthSignal,
  signal,
  toCanonical,
} from './lookup.ts'
export { shownUnit } from './shown-unit.ts'
export type { Signal, SignalKind } from './signal.ts'
export { type SignalClass, signalClasses, signalClassOf } from './signal-class.ts'
export { type Dimension, dimensions, type Unit, withoutNoise } from './unit.ts'
