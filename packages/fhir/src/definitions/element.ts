/** An element of a FHIR R4 type: where it stands, how often, and what it may hold. */
export interface ElementRule {
  /** As in the definitions: `component`, and `value` for the choice `value[x]`. */
  readonly name: string
  /** `Observation.component.code`, `Observation.value[x]`. */
  readonly path: string
  readonly min: number
  /** Infinity where any number may stand; a list in JSON exactly when it is more than 1. */
  readonly max: number
  /** More than one only for a choice. Primitives are lower case: `code`, `dateTime`. */
  readonly types: readonly TypeUse[]
  readonly isChoice: boolean
  readonly isSummary: boolean
  readonly isModifier: boolean
  /** Of a Quantity: no comparator (SimpleQuantity). */
  readonly isSimple: boolean
  /** URL of the value set that its code must be of; only required bindings. */
  readonly valueSet: string | undefined
  /** Keys of its constraints; `ele-1` and `ext-1` hold everywhere and stand nowhere. */
  readonly rules: readonly string[]
}

export interface TypeUse {
  readonly code: string
  /** Of a Reference: types of resource, or `Resource` for any. Of a canonical: types that it names. */
  readonly targets: readonly string[]
  /** What `elementsOf` is asked for its children: a type, or the path of a part without a type of its own; undefined for primitives. */
  readonly content: string | undefined
}

/** `kind` is FHIR's: `resource`, `complex-type`, `primitive-type`. */
export interface TypeRule {
  readonly name: string
  readonly kind: string
  readonly base: string
  readonly rules: readonly string[]
}

/** A constraint of the definitions; `key` is what people know it by (`obs-7`). */
export interface ConstraintRule {
  readonly key: string
  readonly severity: 'error' | 'warning'
  readonly human: string
  readonly expression: string
}
