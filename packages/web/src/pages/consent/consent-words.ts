/** Consents in plain words: for staff, for the printed summary, and (shorter) for the person themselves. */
import type { ConsentView, SignalClass } from '@careloop/contract'

const day = new Intl.DateTimeFormat(undefined, { dateStyle: 'long' })
/** "3 May 2026", in the viewer's zone. */
export const dateText = (at: number): string => day.format(at)

export const classWords: Readonly<Record<SignalClass, string>> = {
  'vital-signs': 'Heart, blood pressure, oxygen, temperature, breathing',
  glucose: 'Blood sugar',
  'body-measures': 'Weight and body measures',
  activity: 'Steps and activity',
  behavioural: 'Stress, sleep and movement at home',
  location: 'Where they are',
  medication: 'Medicines',
  environment: 'Air and temperature of the room',
  device: 'State of the devices',
}

const kindWords: Readonly<Record<ConsentView['grantee']['kind'], string>> = {
  caregiver: 'Caregiver',
  integration: 'Another system',
  research: 'Study',
  treatment: 'Everybody who treats, pays for or runs this care',
}

export const granteeText = ({ kind, name, id }: ConsentView['grantee']): string =>
  kind === 'treatment' ? kindWords.treatment : `${kindWords[kind]}: ${name ?? id ?? ''}`

export const whatText = ({ classes, part2 }: Pick<ConsentView, 'classes' | 'part2'>): string => {
  const what = classes.length === 0 ? 'Everything that is measured' : classes.map((each) => classWords[each]).join('; ')
  return part2 ? `${what}; also records of treatment for substance use (42 CFR Part 2)` : what
}

/** "since 3 May 2026, until 1 June 2026" */
export function spanWords({ from, until, endedAt, status, inForce }: ConsentView, now: number): string {
  const begun = `${from > now ? 'from' : 'since'} ${dateText(from)}`
  if (status === 'entered-in-error') return `recorded by mistake, never counted`
  if (endedAt !== undefined) return `${begun}, withdrawn ${dateText(endedAt)}`
  if (until === undefined) return inForce ? `${begun}, until it is withdrawn` : begun
  return `${begun}, ${until > now ? 'until' : 'ended'} ${dateText(until)}`
}

export const howWords: Readonly<Record<ConsentView['verification']['how'], string>> = {
  'signed-paper': 'signed on paper',
  'verbal-with-witness': 'said before a witness',
  'own-account': 'given in their own account',
}
