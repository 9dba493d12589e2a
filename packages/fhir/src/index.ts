/** FHIR R4 without I/O: spelling, structure, profiles, search. The platform stores and serves it. */
export * from './definitions/index.ts'
export type { Issue } from './issue.ts'
export * from './json/index.ts'
export * from './patch/index.ts'
export { idPattern, type Meta, type Resource } from './resource.ts'
export * from './summary/index.ts'
export * from './ucum/index.ts'
export * from './xml/index.ts'
