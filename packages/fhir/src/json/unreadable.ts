import type { Issue } from '../issue.ts'

/** A text that is no FHIR resource, or a patch that cannot be applied: a door answers 400 or 422 with the issue as it stands. */
export class Unreadable extends Error {
  readonly issue: Issue

  /** `rule` names the bound or the rule of the format; `words` never hold a value of the text, which may be PHI. */
  constructor(code: string, rule: string, words: string, expression?: string) {
    super(words)
    this.name = 'Unreadable'
    this.issue = {
      severity: 'error',
      code,
      rule,
      diagnostics: words,
      ...(expression === undefined ? {} : { expression: [expression] }),
    }
  }
}

/** How much of a text is read. Bounds are checked before anything is built. */
export interface Bounds {
  /** UTF-16 units of the text. */
  readonly maxLength: number
  /** Objects, lists or XML elements inside each other. */
  readonly maxDepth: number
}

/** 64 Mi units: a transaction of tens of thousands of entries; 100 deep: the official examples stay below 20. */
export const defaultBounds: Bounds = { maxLength: 1 << 26, maxDepth: 100 }
