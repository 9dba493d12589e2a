/** Rules: the language, the evaluator, and programs as data. Pure: no clock, no I/O. */
export * from './evaluator.ts'
export { type CompiledRule, compileRule, type Machine, maxEvidence, type Point } from './machine.ts'
export * from './rule.ts'
export type { Usable } from './truth.ts'
