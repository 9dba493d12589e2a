import { Failure } from '@careloop/contract'
import type { Issue } from '@careloop/fhir'
import { clinicalErrors } from './errors.ts'

/** A resource that breaks rules: all of them, each with its expression, so that it is mended in one go. */
export class ResourceInvalid extends Failure {
  readonly issues: readonly Issue[]

  constructor(issues: readonly Issue[]) {
    const first = issues.find(({ severity }) => severity === 'error' || severity === 'fatal') ?? issues[0]!
    super('resource-invalid', clinicalErrors['resource-invalid'], first.diagnostics, {
      pointer: first.expression?.[0] ?? '',
    })
    this.issues = issues
  }
}
