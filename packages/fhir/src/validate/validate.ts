import type { Issue } from '../issue.ts'
import type { Resource } from '../resource.ts'
import { checkProfile } from './profiles/check.ts'
import { profilesFor } from './profiles/select.ts'
import { type Frame, Run } from './run.ts'
import { Structure } from './structure.ts'

export interface ValidateOptions {
  /** URLs of profiles to check beyond those that the resource declares in meta.profile. */
  readonly profiles?: readonly string[]
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
  return run.issues
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
