/** What a scope means to the person who allows it, in plain words. Pure. */

const letters = { c: 'add', r: 'read', u: 'change', d: 'delete', s: 'find' } as const
const version1: Readonly<Record<string, string>> = { read: 'rs', write: 'cud', '*': 'cruds' }

/** Those of a kind that people know by another name. */
const typeWords: Readonly<Record<string, string>> = {
  '*': 'everything in the record',
  Observation: 'measurements',
  Patient: 'name and contact data',
  Device: 'devices',
  CarePlan: 'care plans',
  CareTeam: 'care teams',
  Goal: 'goals',
  Flag: 'warnings',
  DetectedIssue: 'alerts',
  Task: 'tasks',
  Communication: 'messages',
  Consent: 'consents',
  Encounter: 'visits',
  QuestionnaireResponse: 'answers to questions',
  ServiceRequest: 'orders',
}

const whose: Readonly<Record<string, string>> = {
  patient: 'of the patient',
  user: 'of everybody whom you see',
  system: 'of everybody whom it may see',
}

const plain: Readonly<Record<string, string>> = {
  openid: 'know who you are',
  fhirUser: 'know who you are in the record',
  launch: 'know which patient you have open',
  'launch/patient': 'know which patient you choose',
  offline_access: 'go on when you have signed out, for 90 days or until you take it back',
}

/** A clause that goes on after "It may": `read and find measurements of the patient, only where category is vital-signs`. */
export function scopeWords(scope: string): string {
  const known = plain[scope]
  if (known !== undefined) return known
  const found = /^(patient|user|system)\/([^.]+)\.([^?]+)(?:\?(.+))?$/.exec(scope)
  if (found === null) return scope
  const [, context, type, access, query] = found as unknown as [string, string, string, string, string?]
  const acts = [...(version1[access] ?? access)].map((letter) => letters[letter as keyof typeof letters] ?? letter)
  return `${listed(acts)} ${typeWords[type] ?? type} ${whose[context]}${query === undefined ? '' : filterWords(query)}`
}

function filterWords(query: string): string {
  const pairs = [...new URLSearchParams(query)].map(([name, value]) => `${name} is ${value.split('|').at(-1)}`)
  return `, only where ${listed(pairs)}`
}

const listed = (words: readonly string[]): string =>
  words.length < 2 ? words.join('') : `${words.slice(0, -1).join(', ')} and ${words.at(-1)}`

/** Without these an app cannot begin at all: they are not offered to be left out. */
export const isNeeded = (scope: string): boolean =>
  scope === 'launch' || scope === 'launch/patient' || scope === 'openid'
