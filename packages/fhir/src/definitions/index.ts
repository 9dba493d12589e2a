export type { ConstraintRule, ElementRule, TypeRule, TypeUse } from './element.ts'
export { patientParametersOf, type SearchParameterRule, searchParametersOf } from './search-parameters.ts'
export { constraint, type ElementUse, elementAt, elementsOf, isResourceType, typeOf, usesOf } from './types.ts'
export { type ValueSet, valueSet } from './value-sets.ts'
