import type { Issue } from '../issue.ts'
import type { Resource } from '../resource.ts'
import { loose } from './invariant.ts'
import { Names } from './names.ts'
import { checkProfile } from './profiles/check.ts'
import { profilesFor, suggestedFor } from './profiles/select.ts'
import { type Frame, Run } from './run.ts'
import { Structure } from './structure.ts'

export interface ValidateOptions {
  /** URLs of profiles to check beyond those that the resource declares in meta.profile. */
  readonly profiles?: readonly string[]
  /**
   * Also what US Core asks of a laboratory result or smoking status that does not declare it, as warnings: for who asks
   * `$validate` and means to send it to others.
   */
  readonly suggest?: boolean
}

/**
 * What is wrong with a resource by FHIR R4, its profiles and UCUM: structure, cardinality, values, required bindings,
 * reference targets, invariants. Empty when it is valid. Issues carry no value of the resource; a profile that is not
 * known here is a warning. Never throws, whatever JSON it is given.
 */
export function validate(resource: Resource, options: ValidateOptions = {}): Issue[] {
  const type: unknown = (resource as Resource | null | undefined)?.resourceType
  const run = new Run(typeof type === 'string' && /^[A-Za-z]{1,64}$/.test(type) ? type : 'Resource')
  const asked = options.profiles ?? []
  const structure = new Structure(run, (nested, frame) =>
    checkProfiles(nested, frame, run, nested === resource ? asked : []),
  )
  structure.resource(resource)
  return options.suggest === true ? [...run.issues, ...suggestions(resource, asked)] : run.issues
}

function suggestions(resource: Resource, asked: readonly string[]): readonly Issue[] {
  if (typeof loose(resource).resourceType !== 'string') return []
  const frame: Frame = { resource, root: resource, bundle: undefined, names: new Names() }
  const run = new Run(resource.resourceType)
  for (const profile of suggestedFor(resource, profilesFor(resource, asked).profiles)) checkProfile(profile, frame, run)
  return run.issues.map((issue) => ({ ...issue, severity: 'warning' }))
}

function checkProfiles(resource: Resource, frame: Frame, run: Run, asked: readonly string[]): void {
  const { profiles, unknown } = profilesFor(resource, asked)
  for (const profile of profiles) checkProfile(profile, frame, run)
  for (const { index, isOfOtherType } of unknown) {
    const below = index < 0 ? '' : `meta.profile[${index}]`
    if (isOfOtherType) run.error('structure', 'profile-type', 'This profile is of another type of resource.', below)
    else
      run.add(
        'warning',
        'not-supported',
        'profile',
        'This profile is not known here: what it asks was not checked.',
        below,
      )
  }
}
