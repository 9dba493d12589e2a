/** Reviews in words. */
import type { ReviewBody, ReviewOutcome } from '@careloop/contract'
import { reasonWords } from '../break-glass/emergency-access.tsx'

export const outcomeWords: Readonly<Record<ReviewOutcome, string>> = {
  justified: 'Justified',
  'not-justified': 'Not justified',
  'needs-follow-up': 'Needs follow-up',
  harmless: 'Harmless',
  mended: 'Mended',
  decided: 'Decided',
}

/** The code that came with it: of emergency access as it was chosen, else as it stands. */
export const reasonOf = ({ reason }: Pick<ReviewBody, 'reason'>): string =>
  reason === null ? '' : ((reasonWords as Readonly<Record<string, string>>)[reason] ?? reason.replaceAll('-', ' '))

/** Short enough to say on the telephone, long enough to tell two apart: the random end of an id. */
export const shortCode = (id: string): string => id.replaceAll('-', '').slice(-8)

/** "Nora Nurse, patient 1a2b3c4d": whom and what it is about; a patient by code only. */
export const aboutWords = ({ about }: Pick<ReviewBody, 'about'>): string =>
  [
    about.user?.name,
    about.subject === null ? undefined : `patient ${shortCode(about.subject)}`,
    about.device === null ? undefined : `device ${shortCode(about.device)}`,
  ]
    .filter((each) => each !== undefined)
    .join(', ')
