/** `$validate`: what a write would be told, without the write. */
import { type FhirTree, type Issue, isObject, parseFhir, toResource, validate } from '@careloop/fhir'
import { clinicalFailure } from '../errors.ts'
import { grantFor } from '../rights.ts'
import { readResource } from '../store/read.ts'
import { informationOf, outcomeOf } from './failure-outcome.ts'
import type { FhirRoom } from './fhir-room.ts'
import type { FhirAnswer, FhirRequest } from './request.ts'

export async function validateAnswer(room: FhirRoom, request: FhirRequest): Promise<FhirAnswer> {
  const [type, id] = request.path as [string, string]
  const given = request.method === 'POST' ? givenIn(request.tree) : { profiles: [] as string[] }
  const asked = request.query.filter(([name]) => name === 'profile').map(([, value]) => value)
  // It tells nothing of anybody but of what was sent; what stands is read as anything that stands is.
  grantFor(request.by, type, 'r')
  const tree =
    given.resource ??
    (request.path.length === 3 ? parseFhir((await readResource(room, request.by, type, id)).text) : undefined)
  if (tree === undefined)
    throw clinicalFailure('condition-missing', 'Send the resource, or Parameters with a parameter called resource.')
  if (tree.resourceType !== type)
    throw clinicalFailure('id-mismatch', `Send a resource of the type ${type} here.`, { pointer: 'resourceType' })
  const issues = validate(toResource(tree), { profiles: [...asked, ...given.profiles], suggest: true })
  const outcome = issues.length === 0 ? informationOf('It is valid.') : outcomeOf(issues.map(told))
  return { status: 200, body: { tree: outcome } }
}

/** The resource, as it is or inside Parameters (FHIR R4, Resource/$validate). */
function givenIn(tree: FhirTree | undefined): { resource?: FhirTree; profiles: string[] } {
  if (tree === undefined) return { profiles: [] }
  if (tree.resourceType !== 'Parameters') return { resource: tree, profiles: [] }
  const list = Array.isArray(tree.parameter) ? tree.parameter : []
  const named = (name: string) => list.filter((each) => isObject(each) && each.name === name) as FhirTree[]
  const resource = named('resource')[0]?.resource
  const profiles = named('profile').flatMap(({ valueUri, valueCanonical, valueUrl }) =>
    [valueUri, valueCanonical, valueUrl].filter((each) => typeof each === 'string'),
  )
  return { ...(isObject(resource) ? { resource: resource as FhirTree } : {}), profiles }
}

const told = ({ severity, code, rule, diagnostics, expression }: Issue): FhirTree['issue'] => ({
  ...{ severity, code, details: { text: rule }, diagnostics },
  ...(expression === undefined || expression.length === 0 ? {} : { expression: [...expression] }),
})
