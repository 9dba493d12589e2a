export { parseFhir, parseJson, type Stamp, withMeta, writeFhir } from './json.ts'
export {
  type ExactNumber,
  type FhirObject,
  type FhirTree,
  type FhirValue,
  isExact,
  isList,
  isObject,
  numberOf,
  toResource,
} from './tree.ts'
export { type Bounds, defaultBounds, Unreadable } from './unreadable.ts'
