/** What to do in place of a change by FHIR that a view does not take: said with the refusal. */
const instead: Readonly<Record<string, string>> = {
  CarePlan: 'Enrol the patient, or change the enrolment, by /api/v1/subjects/{id}/enrolments.',
  CareTeam: 'Change its members by /api/v1/care-teams/{id}/members.',
  Communication: 'It tells of a notification that was sent.',
  Consent: 'A consent is recorded and withdrawn by /api/v1/subjects/{id}/consents, so that it is decided by at once.',
  DetectedIssue: 'An alert is closed by completing its task.',
  Device: 'A device of the fleet is changed by /api/v1/devices/{id}; a device under an id of yours is yours.',
  DeviceMetric: 'What a device measures follows from its profile: /api/v1/devices/{id}.',
  DeviceUseStatement: 'Who wears a device is changed by /api/v1/devices/{id}/assignments.',
  Flag: 'It is put down when its alert is closed, by completing the task.',
  Location: 'A site is changed by /api/v1/sites; a location under an id of yours is yours.',
  Observation: 'It was made of a reading. Send a correction as an Observation of your own.',
  Organization: 'The organisation is named when it is set up.',
  PlanDefinition: 'A program is changed by its file or on its page, and activated by a person.',
  Practitioner: 'Staff are changed by /api/v1/users.',
  PractitionerRole: 'What staff may do is changed by /api/v1/users.',
  Provenance: 'It says how something was made, and stays with that.',
  RelatedPerson: 'A caregiver is invited, and their account ended, by /api/v1/subjects/{id}/accounts.',
  Task: 'Complete it by /api/v1/tasks/{id}/complete: ending a task takes a disposition, which a status does not say.',
}

export const insteadOf = (type: string): string => instead[type] ?? 'It is changed there.'
