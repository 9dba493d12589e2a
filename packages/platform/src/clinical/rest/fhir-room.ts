/** What the interactions take, and what they share. */
import type { Written } from '../clinical.ts'
import type { WritingRoom } from '../store/write.ts'
import { type FhirAnswer, locationOf } from './request.ts'
import type { Searching } from './searching.ts'

export interface FhirRoom extends WritingRoom {
  readonly searching: Searching
}

export const writtenAnswer = ({ stored, isNew }: Written, base: string): FhirAnswer => ({
  ...{ status: isNew ? 201 : 200, stored, location: locationOf(base, stored), body: stored, isWrite: true },
})
