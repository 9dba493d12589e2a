import type { Issue } from '../issue.ts'

/** A search that cannot be run as it was asked. The issue never holds a value that was searched for: it may be PHI. */
export class SearchError extends Error {
  readonly issue: Issue

  constructor(rule: string, diagnostics: string, code = 'invalid') {
    super(diagnostics)
    this.name = 'SearchError'
    this.issue = { severity: 'error', code, rule, diagnostics }
  }
}

export const notSupported = (rule: string, diagnostics: string): SearchError =>
  new SearchError(rule, diagnostics, 'not-supported')
