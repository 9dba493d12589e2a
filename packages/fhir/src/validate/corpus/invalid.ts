import type { Base } from './bases.ts'

/**
 * `[base, path of what is changed, what it becomes (undefined: it goes), rule, FHIRPath]`. A name of a list ends in
 * `[n]`; the last place past the end adds an item.
 */
export type Case = readonly [Base, string, unknown, string, string]
