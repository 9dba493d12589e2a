import type { Resource } from '../../resource.ts'
import { list, loose } from '../invariant.ts'
import { phdProfiles } from './phd.ts'
import { matches, type Profile } from './profile.ts'
import { usCoreProfiles } from './us-core.ts'
import { vitalSignsByLoinc, vitalSignsProfiles } from './vital-signs.ts'

const LOINC = 'http://loinc.org'
const R4 = 'http://hl7.org/fhir/StructureDefinition/'

const all: readonly Profile[] = [...vitalSignsProfiles, ...usCoreProfiles, ...phdProfiles]
const byUrl: ReadonlyMap<string, Profile> = new Map(all.map((profile) => [profile.url, profile]))

export interface Selection {
  /** Bases before what stands on them, each once. */
  readonly profiles: readonly Profile[]
  /** Places in meta.profile, or -1 for those asked for, whose profile is not known here or is of another type. */
  readonly unknown: readonly { readonly index: number; readonly isOfOtherType: boolean }[]
}

/** The profiles that a resource is checked against: what it declares, what is asked for, and what R4 asks of its code. */
export function profilesFor(resource: Resource, asked: readonly string[]): Selection {
  const declared = resource.meta?.profile
  const implied = resource.resourceType === 'Observation' ? vitalSignsOf(resource) : undefined
  if (declared === undefined && implied === undefined && asked.length === 0) return NONE
  const profiles = new Set<Profile>()
  const unknown: { index: number; isOfOtherType: boolean }[] = []
  if (implied !== undefined) addWithBases(implied, profiles)
  const urls = Array.isArray(declared) ? declared : []
  for (const [index, url] of [...urls, ...asked].entries()) {
    if (typeof url !== 'string' || url === R4 + resource.resourceType) continue
    const profile = byUrl.get(url.split('|')[0]!)
    const isOfOtherType = profile !== undefined && profile.type !== resource.resourceType
    if (profile === undefined || isOfOtherType) unknown.push({ index: index < urls.length ? index : -1, isOfOtherType })
    else addWithBases(profile, profiles)
  }
  return { profiles: [...profiles], unknown }
}

const NONE: Selection = { profiles: [], unknown: [] }

/** Profiles that were made for what the resource is, beyond those that it is checked against anyway. */
export function suggestedFor(resource: Resource, taken: readonly Profile[]): readonly Profile[] {
  const found = new Set<Profile>()
  for (const profile of all) {
    const isMade = profile.madeFor !== undefined && profile.type === resource.resourceType
    if (isMade && matches(resource, profile.madeFor)) addWithBases(profile, found)
  }
  return [...found].filter((profile) => !taken.includes(profile))
}

/** URLs of the profiles that are checked for a type, for the CapabilityStatement. */
export function supportedProfiles(type: string): readonly string[] {
  return all.filter((profile) => profile.type === type).map((profile) => profile.url)
}

/** The vital-signs profile that R4 asks of an Observation by its LOINC code; undefined when it is no vital sign. */
export function defaultProfileOf(resource: Resource): string | undefined {
  return resource.resourceType === 'Observation' ? vitalSignsOf(resource)?.url : undefined
}

function vitalSignsOf(resource: Resource): Profile | undefined {
  for (const item of list(loose(resource.code).coding)) {
    const { system, code } = loose(item)
    const url = system === LOINC && typeof code === 'string' ? vitalSignsByLoinc.get(code) : undefined
    if (url !== undefined) return byUrl.get(url)
  }
  return undefined
}

function addWithBases(profile: Profile, into: Set<Profile>): void {
  for (const base of profile.bases) addWithBases(byUrl.get(base)!, into)
  into.add(profile)
}
