/** A person, thing or place while somebody types it, and as the server takes it: FHIR. Pure. */
import type { NewSubject, SubjectKind } from '@careloop/contract'

export interface SubjectDraft {
  readonly kind: SubjectKind
  readonly given: string
  readonly family: string
  /** YYYY-MM-DD, or '' */
  readonly birthDate: string
  /** Of things and places. */
  readonly name: string
  readonly maker: string
  readonly serial: string
  readonly timeZone: string
  readonly site: string
  readonly team: string
}

export const emptyDraft = (kind: SubjectKind, timeZone: string): SubjectDraft => ({
  ...{ kind, timeZone, given: '', family: '', birthDate: '', name: '', maker: '', serial: '', site: '', team: '' },
})

export type DraftField = Exclude<keyof SubjectDraft, 'kind'>

/** What is missing or wrong, by field. @param today YYYY-MM-DD where the person types */
export function problemsOf(draft: SubjectDraft, today: string): Partial<Record<DraftField, string>> {
  const isPatient = draft.kind === 'patient'
  return {
    ...(isPatient && draft.family.trim() === '' ? { family: 'Give the family name.' } : {}),
    ...(isPatient ? birthProblem(draft.birthDate, today) : {}),
    ...(!isPatient && draft.name.trim() === '' ? { name: 'Give a name that people know it by.' } : {}),
    ...(isZone(draft.timeZone) ? {} : { timeZone: 'Use a name such as Europe/Vienna or America/New_York.' }),
  }
}

function birthProblem(birthDate: string, today: string): { birthDate?: string } {
  if (birthDate === '') return { birthDate: 'Give the birth date: it tells two people of one name apart.' }
  return birthDate > today ? { birthDate: 'A birth date lies in the past.' } : {}
}

function isZone(zone: string): boolean {
  try {
    new Intl.DateTimeFormat('en', { timeZone: zone })
    return zone.includes('/') || zone === 'UTC'
  } catch {
    return false
  }
}

export function newSubjectOf(draft: SubjectDraft): NewSubject {
  const { timeZone, site, team } = draft
  return {
    timeZone,
    ...(site === '' ? {} : { site }),
    ...(team === '' ? {} : { team }),
    resource: resourceOf(draft),
  }
}

function resourceOf({ kind, ...draft }: SubjectDraft): NewSubject['resource'] {
  const [given, family, name, maker, serial] = [draft.given, draft.family, draft.name, draft.maker, draft.serial].map(
    (each) => each.trim(),
  ) as [string, string, string, string, string]
  if (kind === 'patient')
    return {
      resourceType: 'Patient',
      name: [{ family, ...(given === '' ? {} : { given: given.split(/\s+/) }) }],
      ...(draft.birthDate === '' ? {} : { birthDate: draft.birthDate }),
    }
  if (kind === 'location') return { resourceType: 'Location', name }
  return {
    resourceType: 'Device',
    deviceName: [{ name, type: 'user-friendly-name' }],
    ...(maker === '' ? {} : { manufacturer: maker }),
    ...(serial === '' ? {} : { serialNumber: serial }),
  }
}

/** Pointers of the server's refusals, by field of the form. */
export const pointers: Readonly<Record<DraftField, readonly string[]>> = {
  given: ['/body/resource/name/0/given', '/body/resource/name/0/given/0'],
  family: ['/body/resource/name', '/body/resource/name/0', '/body/resource/name/0/family'],
  birthDate: ['/body/resource/birthDate'],
  name: ['/body/resource/name', '/body/resource/deviceName/0/name'],
  maker: ['/body/resource/manufacturer'],
  serial: ['/body/resource/serialNumber'],
  timeZone: ['/body/timeZone'],
  site: ['/body/site'],
  team: ['/body/team'],
}
