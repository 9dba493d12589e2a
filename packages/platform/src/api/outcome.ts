/**
 * Every refusal has one body: an OperationOutcome (FHIR R4) with our code, a pointer, and what to do next. What was sent is
 * never quoted back: it may be a name or a number of a patient.
 */
import { errorCodeSystem, Failure, type OperationOutcome } from '@careloop/contract'
import type { z } from 'zod'
import { fail } from './errors.ts'

export interface Refusal {
  readonly status: number
  readonly code: string
  readonly body: OperationOutcome
  readonly retryAfterSeconds: number | undefined
}

type Issue = OperationOutcome['issue'][number]

/** Several things wrong with one request, all told at once. */
export class InvalidRequest extends Failure {
  readonly issues: readonly { readonly pointer: string; readonly message: string }[]

  constructor(issues: readonly { readonly pointer: string; readonly message: string }[]) {
    const first = fail('request-invalid', issues[0]!.message, { pointer: issues[0]!.pointer })
    super(first.code, first.kind, first.message, { pointer: first.pointer })
    this.issues = issues
  }
}

/** At most so many problems are told: a hostile body of a million wrong fields does not become a larger answer. */
const maxIssues = 20

/** @param part where the value stood: `params`, `query` or `body` */
export function invalidRequest(part: string, error: z.ZodError): InvalidRequest {
  const issues = error.issues.slice(0, maxIssues).map((issue) => ({
    pointer: `/${[part, ...issue.path].map(escapePointer).join('/')}`,
    message: wordsFor(issue),
  }))
  return new InvalidRequest(issues)
}

/** What a client is told of an error. An error that is not a Failure tells nothing but the request's id. */
export function refusalOf(error: unknown, requestId: string): Refusal {
  const failure =
    error instanceof Failure ? error : fail('internal', `Something broke on our side. Report request ${requestId}.`)
  const places = failure instanceof InvalidRequest ? failure.issues : [failure]
  return {
    status: failure.kind.status,
    code: failure.code,
    retryAfterSeconds: failure.retryAfterSeconds ?? (failure.kind.disposition === 'retry' ? 5 : undefined),
    body: { resourceType: 'OperationOutcome', issue: places.map((place) => issueOf(failure, place)) },
  }
}

function issueOf(failure: Failure, place: { readonly pointer: string; readonly message: string }): Issue {
  return {
    severity: failure.kind.disposition === 'bug' ? 'fatal' : 'error',
    code: failure.kind.issue,
    diagnostics: place.message,
    ...(place.pointer === '' ? {} : { expression: [place.pointer] }),
    details: { coding: [{ system: errorCodeSystem, code: failure.code }] },
  }
}

/** zod tells what was expected and never the value; only unknown keys are quoted, and a key can be a name. */
function wordsFor(issue: z.core.$ZodIssue): string {
  if (issue.code === 'unrecognized_keys')
    return 'There are fields here that this request does not know. Leave them out.'
  return issue.message
}

const escapePointer = (part: PropertyKey): string => String(part).replaceAll('~', '~0').replaceAll('/', '~1')
