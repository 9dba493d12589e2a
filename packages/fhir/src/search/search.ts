/** A search as it was understood: what `parseSearch` makes of a query, `matches` decides by, and the platform plans from. */

export type ParameterType = 'number' | 'date' | 'string' | 'token' | 'reference' | 'quantity' | 'composite' | 'uri'

/** One search parameter of one type, of the definitions. */
export interface SearchParameter {
  readonly code: string
  readonly type: ParameterType
  /** FHIRPath over the resource: the part of the definition that is about this type. */
  readonly expression: string
  /** Reference: types it may point to, of those in use. */
  readonly targets?: readonly string[]
  /** Token over a `code` element: the system its required binding implies. */
  readonly system?: string
  /** Composite: what each part reads, from each element that `expression` gives. */
  readonly components?: readonly Component[]
}

export interface Component {
  readonly code: string
  readonly type: ParameterType
  readonly expression: string
}

/** FHIR R4 search prefixes of ordered values. */
export type Prefix = 'eq' | 'ne' | 'gt' | 'lt' | 'ge' | 'le' | 'sa' | 'eb' | 'ap'

export type Modifier = 'exact' | 'contains' | 'not' | 'text' | 'in' | 'of-type' | 'identifier' | 'above' | 'below'

/** Half-open span of time, ms since 1970-01-01Z; without an end: infinite. */
export interface Span {
  readonly from: number
  readonly to: number
}

export type Value =
  | { readonly kind: 'token'; readonly system?: string; readonly code?: string }
  /** `:of-type`: an identifier's type and its value. */
  | { readonly kind: 'typed'; readonly system: string; readonly code: string; readonly value: string }
  | { readonly kind: 'text'; readonly text: string }
  | ({ readonly kind: 'date'; readonly prefix: Prefix } & Span)
  | ({ readonly kind: 'number' } & NumberValue)
  | QuantityValue
  | { readonly kind: 'reference'; readonly types: readonly string[]; readonly id: string }
  | { readonly kind: 'url'; readonly url: string }
  | { readonly kind: 'set'; readonly has: (system: string | undefined, code: string) => boolean }
  | { readonly kind: 'tuple'; readonly parts: readonly Value[] }

/** A number as it was asked for: `low` and `high` are what its digits imply (5.40 is 5.395 to 5.405). */
export interface NumberValue {
  readonly prefix: Prefix
  readonly value: number
  readonly low: number
  readonly high: number
}

export interface QuantityValue extends NumberValue {
  readonly kind: 'quantity'
  /** Absent: any unit. */
  readonly unit?: { readonly system?: string; readonly code: string }
  /** The same in the canonical unit, when the unit is of UCUM and can be converted. */
  readonly canonical?: { readonly unit: string; readonly value: number; readonly low: number; readonly high: number }
}

/** What a resource must fulfil; all clauses of a search together. */
export type Clause = ParameterClause | MissingClause | ChainClause | HasClause | AmongClause

/** One of the values fits one of the parameter's elements. With `not`: none does. */
export interface ParameterClause {
  readonly kind: 'parameter'
  readonly parameter: SearchParameter
  readonly modifier?: Modifier
  readonly values: readonly Value[]
}

export interface MissingClause {
  readonly kind: 'missing'
  readonly parameter: SearchParameter
  readonly isMissing: boolean
}

/** `patient.name=x`: a reference to a resource of one of these types that itself fulfils the clause. */
export interface ChainClause {
  readonly kind: 'chain'
  readonly parameter: SearchParameter
  readonly targets: readonly { readonly type: string; readonly clause: Clause }[]
}

/** `_has:Observation:patient:code=x`: a resource of that type, fulfilling the clause, points here. */
export interface HasClause {
  readonly kind: 'has'
  readonly type: string
  readonly parameter: SearchParameter
  readonly clause: Clause
}

/** What a chain or a `_has` became once it was looked up: the reference (or, without parameter, the resource) is among these. */
export interface AmongClause {
  readonly kind: 'among'
  readonly parameter?: SearchParameter
  /** `Patient/1` */
  readonly references: ReadonlySet<string>
}

export interface SortBy {
  readonly parameter: SearchParameter
  readonly isDescending: boolean
}

/** `_include=Observation:subject:Patient`; `*` = every reference. */
export interface Include {
  readonly type: string
  readonly parameter: SearchParameter | '*'
  readonly target?: string
  readonly isIterating: boolean
}

export interface Search {
  readonly type: string
  readonly clauses: readonly Clause[]
  readonly sort: readonly SortBy[]
  /** Results a page; 0 = only the total. */
  readonly count: number
  readonly total?: 'none' | 'estimate' | 'accurate'
  readonly includes: readonly Include[]
  readonly revIncludes: readonly Include[]
  readonly elements?: readonly string[]
  readonly summary?: 'true' | 'text' | 'data' | 'count' | 'false'
  /** Pairs as they were understood, for the self link. */
  readonly applied: readonly (readonly [string, string])[]
  /** Names of parameters that are not known and were left out (`handling=lenient`). */
  readonly ignored: readonly string[]
}

export interface SearchOptions {
  /** ms since 1970-01-01Z: what `ap` of a date is measured from. */
  readonly now: number
  /** `Prefer: handling=strict`: what is not known is refused, not left out. */
  readonly isStrict?: boolean
  /** Our own base: `https://host/fhir/R4`; references below it are our own. */
  readonly base?: string
  /** Results a page, unless asked for otherwise, and at most. */
  readonly defaultCount?: number
  readonly maxCount?: number
  /** Value sets for `:in`; absent: those of the definitions. */
  readonly valueSet?: (url: string) => ((system: string | undefined, code: string) => boolean) | null
}

/** Index texts of a resource; the platform makes a blind key of each. They name type and parameter. */
export type IndexKey = string
