/** What went wrong as an OperationOutcome: our code, what to do next, and where in the resource. Nothing that was sent is quoted. */
import { errorCodeSystem, Failure } from '@careloop/contract'
import { type FhirTree, type Issue, SearchError, Unreadable } from '@careloop/fhir'
import { ResourceInvalid } from '../invalid.ts'

export interface FhirRefusal {
  readonly status: number
  readonly outcome: FhirTree
  readonly retryAfterSeconds?: number
}

/** Null: a bug, which is no answer's business. */
export function refusalOf(error: unknown): FhirRefusal | null {
  if (error instanceof ResourceInvalid)
    return { status: 422, outcome: outcomeOf(error.issues.map((issue) => issueOf(issue, error.code))) }
  if (error instanceof Unreadable || error instanceof SearchError)
    return { status: 400, outcome: outcomeOf([issueOf(error.issue, error.issue.rule)]) }
  if (!(error instanceof Failure) || error.kind.disposition === 'bug') return null
  const { code, kind, message, pointer } = error
  const retryAfterSeconds = error.retryAfterSeconds ?? (kind.disposition === 'retry' ? 5 : undefined)
  const issue: Issue = {
    ...{ severity: 'error', code: kind.issue, rule: code, diagnostics: message },
    ...(pointer === '' ? {} : { expression: [expressionOf(pointer)] }),
  }
  return {
    ...{ status: kind.status, outcome: outcomeOf([issueOf(issue, code)]) },
    ...(retryAfterSeconds === undefined ? {} : { retryAfterSeconds }),
  }
}

export const outcomeOf = (issues: readonly FhirTree['issue'][]): FhirTree =>
  ({ resourceType: 'OperationOutcome', issue: issues.slice(0, maxIssues) }) as FhirTree

/** A hostile body of a million wrong fields does not become a larger answer. */
const maxIssues = 100

const issueOf = ({ severity, code, rule, diagnostics, expression }: Issue, ours: string): FhirTree['issue'] => ({
  ...{ severity, code, diagnostics },
  details: { coding: [{ system: errorCodeSystem, code: ours }], text: rule },
  ...(expression === undefined || expression.length === 0 ? {} : { expression: [...expression] }),
})

export const informationOf = (diagnostics: string): FhirTree =>
  outcomeOf([{ severity: 'information', code: 'informational', diagnostics }])

/** Failures of rooms that know JSON point into it: `/body/resource/identifier/0` is `identifier[0]`. */
function expressionOf(pointer: string): string {
  if (!pointer.startsWith('/')) return pointer
  const parts = pointer.replace(/^\/(body|params|query)(\/resource)?/, '').split('/')
  const path = parts.filter((part) => part !== '').map((part) => (/^\d+$/.test(part) ? `[${part}]` : `.${part}`))
  return path.length === 0 ? '$this' : path.join('').replace(/^\./, '')
}
