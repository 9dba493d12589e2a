import { type Clause, parametersOf, patientParametersOf, SearchError, type SearchParameter } from '@careloop/fhir'

/**
 * What lies in a patient's compartment: whatever points to them by one of the parameters that R4's CompartmentDefinition names.
 * @throws SearchError for another compartment, or a type that no patient has
 */
export function compartmentClause(type: string, compartment: { readonly type: string; readonly id: string }): Clause {
  if (compartment.type !== 'Patient') throw none('Only compartments of a Patient are searched.')
  if (type === 'Patient') return itself(compartment.id)
  const parameter = compartmentParameter(type)
  if (parameter === null) throw none(`${type} lies in no compartment of a Patient.`)
  return {
    ...{ kind: 'parameter', parameter },
    values: [{ kind: 'reference', types: ['Patient'], id: compartment.id }],
  }
}

/** All of them as one parameter; null: the type lies in no patient's compartment. */
export function compartmentParameter(type: string): SearchParameter | null {
  const codes = patientParametersOf(type)
  const expressions = codes.flatMap((code) => parametersOf(type).get(code)?.expression ?? [])
  if (expressions.length === 0) return null
  return { code: '_compartment', type: 'reference', expression: expressions.join(' | '), targets: ['Patient'] }
}

const itself = (id: string): Clause => ({
  kind: 'parameter',
  parameter: parametersOf('Patient').get('_id')!,
  values: [{ kind: 'token', code: id }],
})

const none = (diagnostics: string) => new SearchError('search-compartment', diagnostics, 'not-supported')
