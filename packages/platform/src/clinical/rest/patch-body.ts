import { applyPatch, type FhirTree, type FhirValue, Unreadable } from '@careloop/fhir'
import { ResourceInvalid } from '../invalid.ts'

/** A JSON Patch as a change. A patch that does not fit is 422 with the operation's path (RFC 5789), one that is none is 400. */
export const changeByPatch =
  (operations: FhirValue) =>
  (tree: FhirTree): FhirTree => {
    try {
      return applyPatch(tree, operations)
    } catch (error) {
      if (error instanceof Unreadable && ['processing', 'business-rule'].includes(error.issue.code))
        throw new ResourceInvalid([error.issue])
      throw error
    }
  }
