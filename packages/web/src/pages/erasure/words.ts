/** What is said of erasing, in the words that whoever decides must have read. */
import type { ErasureView } from '@careloop/contract'

export const erasureBases: Readonly<Record<ErasureView['basis'], string>> = {
  request: 'The person asked for it',
  'consent-withdrawn': 'Consent was withdrawn, and nothing else allows keeping it',
  'retention-ended': 'The time for which it must be kept is over',
  'made-in-error': 'The record was made in error',
  order: 'A court or an authority ordered it',
}

export const whatIsLost = [
  'Name, identifiers, contacts, every reading, alert, note, consent and limit of this record become unreadable for ever.',
  'Devices come off, enrolments end, open tasks and alerts close, accounts of the patient and of caregivers end.',
  'No backup brings it back: after a restore it is erased again. Nobody, not even the makers of Careloop, can undo it.',
  'What stays: that a record with this id was there, who did what to it and when, and that it was erased on which basis.',
] as const
