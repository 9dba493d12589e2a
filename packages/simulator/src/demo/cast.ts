/** Who and what the demo shows. Everybody is invented, and named so that nobody can take them for a patient. */
import type { Role } from '@careloop/contract'

export type OrganisationKey = 'clinic' | 'pharmacy'

export const organisations: Readonly<Record<OrganisationKey, string>> = {
  clinic: 'Make-Believe Clinic (demo)',
  pharmacy: 'Make-Believe Pharmacy (demo)',
}

export interface StaffCast {
  readonly key: string
  readonly organisation: OrganisationKey
  readonly email: string
  readonly displayName: string
  readonly roles: readonly Role[]
  /** What the person is called on the demo's own page. */
  readonly title: string
}

const staffOf = (
  organisation: OrganisationKey,
  key: string,
  displayName: string,
  title: string,
  roles: readonly Role[],
): StaffCast => ({ key, organisation, displayName, title, roles, email: `${key}@${organisation}.example` })

export const staff: readonly StaffCast[] = [
  staffOf('clinic', 'nurse', 'Nora Example', 'nurse', ['nurse']),
  // Of the other care team: what one nurse sees of patients the other does not.
  staffOf('clinic', 'relief', 'Rita Example', 'nurse of the other care team', ['nurse']),
  staffOf('clinic', 'physician', 'Phil Example', 'physician', ['physician']),
  staffOf('clinic', 'biomed', 'Bea Example', 'biomedical engineer', ['biomed']),
  staffOf('clinic', 'admin', 'Ada Example', 'administrator', ['administrator']),
  staffOf('pharmacy', 'facilities', 'Fritz Example', 'facilities manager', ['facilities']),
  staffOf('pharmacy', 'pharmacist', 'Petra Example', 'pharmacist', ['pharmacist']),
  staffOf('pharmacy', 'admin', 'Anton Example', 'administrator', ['administrator', 'biomed']),
]

export const sites: Readonly<Record<OrganisationKey, string>> = { clinic: 'Cardboard Street', pharmacy: 'Paper Square' }

/** Care teams of the clinic, by name: members by key of the cast. */
export const careTeams: Readonly<Record<string, readonly string[]>> = {
  'Home monitoring': ['nurse', 'physician'],
  'After discharge': ['relief', 'physician'],
}

export interface SubjectCast {
  readonly key: string
  readonly organisation: OrganisationKey
  readonly name: string | { readonly given: string; readonly family: string; readonly birthDate: string }
  readonly program: string | null
  /** Care team; absent = none: it is a thing. */
  readonly team?: keyof typeof careTeams
  /** Days before today from which the enrolment and the devices count: as far back as the history that is replayed. */
  readonly days: number
}

const patient = (key: string, given: string, family: string, birthDate: string, days = 60): SubjectCast => ({
  ...{ key, organisation: 'clinic', name: { given, family, birthDate }, program: 'hypertension-rpm', days },
  team: 'Home monitoring',
})
const refrigerator = (key: string, name: string): SubjectCast => ({
  ...{ key, organisation: 'pharmacy', name, program: 'vaccine-fridge', days: 7 },
})

export const subjects: readonly SubjectCast[] = [
  patient('home', 'Holly', 'Sample', '1958-02-28'),
  patient('crisis', 'Cosmo', 'Sample', '1949-06-01'),
  patient('ward', 'Wanda', 'Sample', '1971-11-11'),
  patient('sugar', 'Sugrim', 'Sample', '1980-01-01'),
  patient('try-mqtt', 'Mattie', 'Tryout', '1965-05-05'),
  patient('try-http', 'Hattie', 'Tryout', '1966-06-06'),
  { ...patient('other-team', 'Olga', 'Sample', '1955-07-07'), team: 'After discharge', program: null },
  refrigerator('fridge-1', 'Vaccine refrigerator 1'),
  refrigerator('fridge-2', 'Vaccine refrigerator 2'),
  refrigerator('fridge-3', 'Vaccine refrigerator 3'),
  refrigerator('fridge-4', 'Vaccine refrigerator 4'),
]

/** Who answers for a program's alerts, and who else. */
export const owners: Readonly<Record<OrganisationKey, { readonly owner: string; readonly backup: string }>> = {
  clinic: { owner: 'nurse', backup: 'physician' },
  pharmacy: { owner: 'facilities', backup: 'pharmacist' },
}
