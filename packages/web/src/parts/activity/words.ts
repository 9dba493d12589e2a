/** Kinds of activity and of contact as people say them, in the order of a menu. */
import type { ActivityKind, ContactMode } from '@careloop/contract'

export const kindWords: Readonly<Record<ActivityKind, string>> = {
  'data-review': 'Reviewing data',
  'patient-contact': 'Talking with the patient',
  'caregiver-contact': 'Talking with a caregiver',
  'care-coordination': 'Coordinating care',
  documentation: 'Documentation',
  education: 'Teaching',
  'device-setup': 'Setting up a device',
  'technical-help': 'Technical help',
  other: 'Something else',
}

export const contactWords: Readonly<Record<ContactMode, string>> = {
  none: 'No contact',
  'live-phone': 'By phone',
  'live-video': 'By video',
  'in-person': 'In person',
  message: 'By message',
  voicemail: 'Left a voicemail',
}

export const isContact = (kind: ActivityKind): boolean => kind === 'patient-contact' || kind === 'caregiver-contact'

/** Whoever says that they talk with somebody mostly calls. */
export const usualContact = (kind: ActivityKind): ContactMode => (isContact(kind) ? 'live-phone' : 'none')
