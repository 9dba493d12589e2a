/** Words of the activity record without their schemas: pages use them and need no zod for it. */

/** What the time went to. Set-up, education and technical help are kept apart: some payers do not count them as management. */
export const activityKinds = [
  'data-review',
  'patient-contact',
  'caregiver-contact',
  'care-coordination',
  'documentation',
  'education',
  'device-setup',
  'technical-help',
  'other',
] as const
export type ActivityKind = (typeof activityKinds)[number]

/** `live-*`: real-time, two-way talk with the patient or caregiver. Messages and voicemail are not. */
export const contactModes = ['none', 'live-phone', 'live-video', 'in-person', 'message', 'voicemail'] as const
export type ContactMode = (typeof contactModes)[number]
export const isLiveContact = (mode: ContactMode): boolean =>
  mode === 'live-phone' || mode === 'live-video' || mode === 'in-person'
