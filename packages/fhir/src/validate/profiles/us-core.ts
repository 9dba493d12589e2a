import type { Profile } from './profile.ts'
export const usCoreProfiles: readonly Profile[] = []
