/** All profiles there are. A new one is added here and in docs/profiles.md. */
import { btHomeProfile, ruuviProfile } from './advertisement/profiles.ts'
import {
  bloodPressureProfile,
  continuousGlucoseProfile,
  glucoseProfile,
  healthDeviceProfile,
  heartRateProfile,
  oximeterProfile,
  oximeterSpotProfile,
  scaleProfile,
  thermometerProfile,
} from './gatt/profiles.ts'
import { genericProfile, genericWearableProfile } from './generic-profile.ts'
import { lorawanProfiles } from './lorawan/profiles.ts'
import type { Profile } from './profile.ts'

export const allProfiles: readonly Profile[] = [
  genericProfile,
  genericWearableProfile,
  bloodPressureProfile,
  heartRateProfile,
  oximeterProfile,
  oximeterSpotProfile,
  glucoseProfile,
  continuousGlucoseProfile,
  thermometerProfile,
  scaleProfile,
  healthDeviceProfile,
  ruuviProfile,
  btHomeProfile,
  ...lorawanProfiles,
]

const byCode: ReadonlyMap<string, Profile> = new Map(allProfiles.map((each) => [each.code, each]))

/** The profile of a code, undefined when there is none. */
export const profile = (code: string): Profile | undefined => byCode.get(code)
