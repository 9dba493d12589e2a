/** What the trail's codes say to people. */
import type { AuditActor, UnusualAccess } from '@careloop/contract'
import { countText } from '../../parts/words.ts'

const kinds: Readonly<Record<string, string>> = {
  cli: 'The server’s console',
  anonymous: 'Somebody not signed in',
}
const prefixes: Readonly<Record<string, string>> = {
  staff: 'A former account',
  service: 'A program',
  device: 'A device',
  system: 'Careloop itself',
  patient: 'A patient',
  display: 'A wall screen',
}

/** `Ana Moser`, `A program 3f2a…`: a name where there is one. */
export function actorWords({ actor, name }: Pick<AuditActor, 'actor' | 'name'>): string {
  if (name !== null && name !== '') return name
  const [kind = '', id] = actor.split(':')
  return kinds[actor] ?? `${prefixes[kind] ?? kind} ${shortId(id ?? '')}`.trim()
}

/** Enough of an opaque id to tell two apart by eye. */
export const shortId = (id: string): string => (id.length > 8 ? `${id.slice(-8)}` : id)

const purposes: Readonly<Record<string, string>> = {
  TREAT: 'treatment',
  ETREAT: 'emergency access',
  HPAYMT: 'payment',
  HOPERAT: 'operations',
  PATRQT: 'the patient’s request',
  PUBHLTH: 'public health',
  SYSADMN: 'administration',
  HRESCH: 'research',
  HLEGAL: 'legal proceedings',
}
export const purposeWords = (code: string): string => purposes[code] ?? code

const unusual = {
  volume: ({ count, usual }: UnusualAccess) =>
    `saw ${countText(count ?? 0, 'record')} in a day; usual is ${Math.round(usual ?? 0)}`,
  'own-name': () => 'saw the record of somebody of the same family name',
  'watched-record': () => 'saw a watched record of a patient of another care team',
} as const

export const unusualWords = (found: UnusualAccess): string => unusual[found.kind](found)
