import type { Profile } from './profile.ts'
export const phdProfiles: readonly Profile[] = []
