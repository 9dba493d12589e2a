import type { ClinicalParts } from '../parts.ts'
import type { Ground } from './ground.ts'

/** The store with what the room was handed: what every act takes. */
export interface ClinicalRoom {
  readonly ground: Ground
  readonly parts: ClinicalParts
}
