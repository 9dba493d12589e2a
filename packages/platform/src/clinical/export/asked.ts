/** What an export was asked for, checked (Bulk Data 2.0); and as it lies sealed in its row. */
import type { FhirTree, Pair } from '@careloop/fhir'
import type { DataKey } from '../../engine/index.ts'
import type { AppGrant, SmartAccess } from '../../identity/index.ts'
import { clinicalFailure } from '../errors.ts'
import { isServed } from '../types.ts'

export interface ExportAsked {
  /** The whole URL, as the manifest repeats it. */
  readonly request: string
  readonly base: string
  /** Null = all. */
  readonly types: readonly string[] | null
  readonly elements: readonly string[] | null
  /** Subject ids; null = whoever may be seen. */
  readonly patients: readonly string[] | null
  readonly app?: AppGrant
}

export interface ExportParameters {
  readonly types: readonly string[] | null
  readonly elements: readonly string[] | null
  /** ms */
  readonly since: number | null
  /** FHIR ids of Patients, of a POST. */
  readonly patients: readonly string[] | null
}

const formats: ReadonlySet<string> = new Set(['application/fhir+ndjson', 'application/ndjson', 'ndjson'])
/** Not of the record, or not for whoever reads the record. */
const unexported: ReadonlySet<string> = new Set(['AuditEvent', 'Subscription', 'OperationOutcome', 'Bundle'])
export const isExported = (type: string): boolean => isServed(type) && !unexported.has(type)

/**
 * @param isLenient what is not known is left out rather than refused (`Prefer: handling=lenient`)
 * @throws Failure `export-parameter`
 */
export function readParameters(pairs: readonly Pair[], isLenient: boolean): ExportParameters {
  const all = (name: string) => pairs.flatMap(([each, value]) => (each === name ? [value] : []))
  const known = new Set(['_outputFormat', '_since', '_type', '_elements', 'patient', '_format', '_pretty'])
  const unknown = pairs.find(([name]) => !known.has(name))
  if (unknown !== undefined && !isLenient)
    throw wrong('There is a parameter here that exports do not know. Leave it out, or send Prefer: handling=lenient.')
  for (const format of all('_outputFormat'))
    if (!formats.has(format.replaceAll(' ', '+'))) throw wrong('_outputFormat is application/fhir+ndjson.')
  return {
    types: typesIn(all('_type'), isLenient),
    elements: listOf(all('_elements')),
    since: sinceIn(all('_since')),
    patients: all('patient').length === 0 ? null : all('patient').map(patientIn),
  }
}

const wrong = (says: string) => clinicalFailure('export-parameter', says)
const listOf = (values: readonly string[]): string[] | null =>
  values.length === 0 ? null : values.flatMap((each) => each.split(',')).map((each) => each.trim())

function typesIn(values: readonly string[], isLenient: boolean): string[] | null {
  const types = listOf(values)
  if (types === null) return null
  const exported = [...new Set(types)].filter(isExported)
  if (exported.length === 0 || (exported.length < new Set(types).size && !isLenient))
    throw wrong('_type names a type that is not exported here. See metadata for those that are served.')
  return exported
}

function sinceIn([since]: readonly string[]): number | null {
  if (since === undefined) return null
  // A plus sign of the zone that was not escaped arrives as a blank.
  const text = since.replace(' ', '+')
  const at = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$/.test(text) ? Date.parse(text) : Number.NaN
  if (Number.isNaN(at)) throw wrong('_since is an instant: 2026-01-31T00:00:00Z.')
  return at
}

function patientIn(reference: string): string {
  const id = /^Patient\/([A-Za-z0-9.-]{1,64})$/.exec(reference)?.[1]
  if (id === undefined) throw wrong('patient is a reference: Patient/<id>.')
  return id
}

/** Of a POST: Parameters with the same names. @throws Failure `export-parameter` */
export function pairsOfParameters(tree: FhirTree): Pair[] {
  const list = Array.isArray(tree.parameter) ? (tree.parameter as readonly Record<string, unknown>[]) : []
  if (tree.resourceType !== 'Parameters') throw wrong('A POST of an export carries Parameters.')
  return list.flatMap((each): Pair[] => {
    const { name } = each
    const value = each.valueString ?? each.valueInstant ?? each.valueCode ?? each.valueUri ?? referenceIn(each)
    return typeof name === 'string' && typeof value === 'string' ? [[name, value]] : [['', '']]
  })
}

const referenceIn = ({ valueReference }: Record<string, unknown>): unknown =>
  typeof valueReference === 'object' && valueReference !== null && 'reference' in valueReference
    ? valueReference.reference
    : undefined

const aad = (tenant: string, id: string) => `export-job:${tenant}:${id}:body`

export const sealAsked = (key: DataKey, tenant: string, id: string, asked: ExportAsked): Buffer =>
  key.seal(
    Buffer.from(JSON.stringify(asked, (_name, value) => (value instanceof Set ? [...value] : value))),
    aad(tenant, id),
  )

type Written = Omit<ExportAsked, 'app'> & {
  readonly app?: Omit<AppGrant, 'scopes'> & {
    readonly scopes: readonly (Omit<AppGrant['scopes'][number], 'access'> & { readonly access: SmartAccess[] })[]
  }
}

export function openAsked(key: DataKey, tenant: string, id: string, sealed: Buffer): ExportAsked {
  const { app, ...rest } = JSON.parse(key.open(sealed, aad(tenant, id)).toString()) as Written
  if (app === undefined) return rest
  return { ...rest, app: { ...app, scopes: app.scopes.map((each) => ({ ...each, access: new Set(each.access) })) } }
}
