import type { Stage } from '../engine/index.ts'
import type { Subjects } from './subjects.ts'

/** Keeps names searchable in this process. */
export const namesStage = (subjects: Subjects): Stage => ({ name: 'subject-names', start: () => subjects.start() })
