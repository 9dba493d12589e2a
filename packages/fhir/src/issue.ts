/** What is wrong with a resource or a request, as an entry of an OperationOutcome. */
export interface Issue {
  readonly severity: 'fatal' | 'error' | 'warning' | 'information'
  /** FHIR issue-type: `structure`, `required`, `value`, `invariant`, `code-invalid`, `invalid`, `not-supported`, ... */
  readonly code: string
  /** The rule that was broken, e.g. `obs-7`, `cardinality`, `binding`, `ucum`, `bp-systolic`. */
  readonly rule: string
  /** What is wrong and what to do next. Never a value of the resource: it may be PHI. */
  readonly diagnostics: string
  /** FHIRPath of the element: `Observation.component[1].valueQuantity.code`. */
  readonly expression?: readonly string[]
}
