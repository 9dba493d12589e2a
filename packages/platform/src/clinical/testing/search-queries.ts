/** Queries made of what stands in a record: most find something, and some ask for what is just beside it. */
import { type Resource, searchParametersOf } from '@careloop/fhir'
import { type Asked, type Oracle, ruleOf } from './search-oracle.ts'

export interface Query {
  readonly type: string
  readonly asked: readonly Asked[]
}

/** The types that queries are about; Observations most often. */
const weights: readonly string[] = [
  ...Array.from({ length: 8 }, () => 'Observation'),
  ...[
    'Patient',
    'Patient',
    'Encounter',
    'Task',
    'QuestionnaireResponse',
    'ServiceRequest',
    'Provenance',
    'Group',
    'Questionnaire',
  ],
]

/** Parameters that need another look: no FHIRPath of their own, or none that finds anything. */
const left: ReadonlySet<string> = new Set([
  '_query',
  '_source',
  '_profile',
  '_lastUpdated',
  'near',
  'deceased',
  '_content',
  '_text',
  'composition',
  'message',
])

export function queryOf(oracle: Oracle, chance: () => number): Query {
  const pick = <T>(list: readonly T[]): T => list[Math.floor(chance() * list.length)]!
  const type = pick(weights)
  const ofType = oracle.resources.filter(({ resourceType }) => resourceType === type)
  const asked: Asked[] = []
  const wanted = 1 + Math.floor(chance() * 3)
  for (let tries = 0; asked.length < wanted && tries < 40; tries++) {
    const made = oneOf({ oracle, chance, pick, type, resource: pick(ofType) })
    if (made !== null) asked.push(made)
  }
  return { type, asked }
}

interface Making {
  readonly oracle: Oracle
  readonly chance: () => number
  pick<T>(list: readonly T[]): T
  readonly type: string
  readonly resource: Resource
}

type Json = Record<string, unknown>

function oneOf(making: Making): Asked | null {
  const { type, pick, chance, oracle, resource } = making
  const kind = chance()
  if (kind < 0.05) return hasOf(making)
  if (kind < 0.12) return chainOf(making)
  const rules = searchParametersOf(type).filter(({ code, type: of }) => of !== 'special' && !left.has(code))
  const rule = pick(rules)
  if (kind < 0.17) return [`${rule.code}:missing`, pick(['true', 'false'])]
  if (rule.type === 'composite') return compositeOf(making, rule.code)
  const found = oracle.values(resource, rule.code)
  if (found.length === 0) return null
  const value = pick(found)
  const made = valued(making, rule.type, value)
  if (made === null) return null
  const [modifier, text] = made
  const others =
    chance() < 0.15 && modifier === ''
      ? [valued({ ...making, chance: () => 0.5 }, rule.type, pick(found))?.[1] ?? text]
      : []
  return [rule.code + modifier, [text, ...others].join(',')]
}

/** Modifier and value. */
function valued(making: Making, type: string, value: unknown): [string, string] | null {
  switch (type) {
    case 'token':
      return tokenOf(making, value)
    case 'date':
      return dateOf(making, value)
    case 'string':
      return stringOf(making, value)
    case 'reference':
      return referenceOf(making, value)
    case 'uri':
      return uriOf(making, String(value))
    case 'quantity':
      return quantityOf(making, value as Json)
    default:
      return null
  }
}

const isPlain = (text: unknown): text is string => typeof text === 'string' && text !== '' && !/[,$|\\]/.test(text)

function tokenOf({ pick, chance }: Making, value: unknown): [string, string] | null {
  const held = value as Json
  const node = (Array.isArray(held.coding) ? pick(held.coding as Json[]) : held) as Json
  const plain = typeof value === 'object' ? (node.code ?? node.value) : String(value)
  if (!isPlain(plain)) return null
  const other = chance() < 0.1 ? `${plain}x` : plain
  const kind = chance()
  if (kind < 0.1) return [':not', other]
  if (kind < 0.2 && typeof value === 'object') {
    const words =
      held.text ?? node.display ?? ((held.type as Json | undefined)?.coding as Json[] | undefined)?.[0]?.display
    return isPlain(words) ? [':text', words.slice(0, 5).toUpperCase()] : null
  }
  if (kind < 0.25 && typeof held.type === 'object') {
    const coding = ((held.type as Json).coding as Json[])[0]!
    return [':of-type', `${coding.system}|${coding.code}|${plain}`]
  }
  if (typeof value !== 'object' || kind < 0.5) return ['', other]
  const system = node.system as string | undefined
  if (kind < 0.6) return ['', `|${other}`]
  if (system === undefined) return ['', other]
  return ['', kind < 0.7 ? `${system}|` : `${system}|${other}`]
}

const prefixes = ['', '', 'eq', 'ne', 'gt', 'lt', 'ge', 'le', 'sa', 'eb', 'ap']

function dateOf({ pick, chance }: Making, value: unknown): [string, string] | null {
  const { start, end } = value as { start?: string; end?: string }
  const text = typeof value === 'string' ? value : (start ?? end)
  if (text === undefined) return null
  const cut = pick([4, 7, 10, 16, text.length])
  const zone = /T.*(Z|[+-]\d\d:\d\d)$/.exec(text)?.[1] ?? ''
  let shorter = text.slice(0, Math.min(cut, text.length))
  if (shorter.includes('T') && !shorter.endsWith(zone)) shorter += zone
  if (shorter.length === 16 && !shorter.includes('T')) return null
  const year = chance() < 0.2 ? String(Number(shorter.slice(0, 4)) + pick([-1, 1])) + shorter.slice(4) : shorter
  return ['', pick(prefixes) + year]
}

function stringOf({ pick, chance }: Making, value: unknown): [string, string] | null {
  const texts = (typeof value === 'string' ? [value] : Object.values(value as Json).flat()).filter(isPlain)
  if (texts.length === 0) return null
  const text = pick(texts)
  const kind = chance()
  if (kind < 0.25) return [':exact', chance() < 0.3 ? text.toLowerCase() : text]
  if (kind < 0.5) return [':contains', text.slice(1, 4).trim() || text]
  return [
    '',
    text
      .slice(0, 1 + Math.floor(chance() * 6))
      .trim()
      .toUpperCase(),
  ]
}

function referenceOf({ pick, chance }: Making, value: unknown): [string, string] | null {
  if (typeof value === 'string')
    return ['', chance() < 0.5 ? value.split('|')[0]! : value].map(String) as [string, string]
  const { reference, identifier } = value as { reference?: string; identifier?: Json }
  if (identifier !== undefined)
    return [':identifier', pick([String(identifier.value), `${identifier.system}|${identifier.value}`])]
  if (reference === undefined || !/^[A-Z][A-Za-z]+\/[\w.-]+$/.test(reference)) return null
  const [type, id] = reference.split('/') as [string, string]
  return pick<[string, string]>([
    ['', reference],
    ['', id],
    [`:${type}`, id],
  ])
}

function uriOf({ pick }: Making, value: string): [string, string] | null {
  if (!isPlain(value)) return null
  return pick<[string, string]>([
    ['', value],
    [':below', value.split('/').slice(0, -1).join('/')],
    [':above', `${value}/x`],
    [':below', value],
  ])
}

const scales: Readonly<Record<string, readonly (readonly [string, number])[]>> = {
  kg: [
    ['g', 1000],
    ['[lb_av]', 2.2046],
  ],
  g: [['kg', 0.001]],
  '[lb_av]': [['kg', 0.4536]],
  'mg/dL': [['g/L', 0.01]],
  'g/L': [['mg/dL', 100]],
  kPa: [['mm[Hg]', 7.5006]],
  'mm[Hg]': [['kPa', 0.13332]],
  Cel: [['Cel', 1]],
}

/** A little beside the value, so that no comparison hangs on the last digit of a conversion. */
function quantityOf({ pick, chance }: Making, value: Json): [string, string] | null {
  const { value: number, code, system } = (value.origin ?? value.low ?? value) as Json
  if (typeof number !== 'number' || !isPlain(code)) return null
  const [unit, factor] = chance() < 0.5 ? ([code, 1] as const) : pick(scales[code] ?? [[code, 1] as const])
  const isBeside = unit !== code || chance() < 0.4
  const digits = isBeside ? (number * factor * (1.003 + chance() * 0.05)).toPrecision(4) : String(number)
  if (digits.includes('e')) return null
  const kind = chance()
  const suffix =
    kind < 0.7 ? `|${system}|${unit}` : unit !== code ? `|${system}|${unit}` : kind < 0.85 ? '' : `||${code}`
  // Equality across units turns on the last digit: only what is written in the unit of the value is asked to be equal.
  const prefix = pick(unit === code ? prefixes : prefixes.filter((one) => !['', 'eq', 'ne'].includes(one)))
  return ['', prefix + digits + suffix]
}

function compositeOf(making: Making, code: string): Asked | null {
  const { resource, type, pick } = making
  const rule = ruleOf(type, code)
  const elements =
    code.startsWith('component-') || (code.startsWith('combo-') && making.chance() < 0.5)
      ? resource.component
      : [resource]
  if (!Array.isArray(elements) || elements.length === 0) return null
  const element = pick(elements as Json[])
  const texts = rule.parts!.map((part) => {
    const name = part.expression.split(' | ')[0]!
    const choice = /^(\w+)\.ofType\((\w+)\)$/.exec(name)
    const value = element[choice === null ? name : choice[1]! + choice[2]!]
    const made =
      value === undefined ? null : valued({ ...making, chance: () => 0.55 + making.chance() * 0.4 }, part.type, value)
    return made === null || made[0] !== '' ? null : made[1]
  })
  return texts.some((text) => text === null) ? null : [code, texts.join('$')]
}

const chains: Readonly<Record<string, readonly (readonly [string, string, string])[]>> = {
  Observation: [
    ['patient.', 'Patient', 'name'],
    ['subject:Patient.', 'Patient', 'identifier'],
    ['performer:Practitioner.', 'Practitioner', 'family'],
    ['encounter.', 'Encounter', 'status'],
    ['has-member.', 'Observation', 'code'],
    ['patient.organization.', 'Organization', 'identifier'],
  ],
  Task: [
    ['patient.', 'Patient', 'gender'],
    ['owner.', 'Practitioner', 'identifier'],
  ],
  Patient: [
    ['organization.', 'Organization', 'name'],
    ['general-practitioner.', 'Practitioner', 'name'],
  ],
  Provenance: [
    ['target:Observation.', 'Observation', 'code'],
    ['agent.', 'Practitioner', 'name'],
  ],
}

function chainOf(making: Making): Asked | null {
  const { type, oracle, pick } = making
  if (chains[type] === undefined) return null
  const [head, target, code] = pick(chains[type])
  const resource = pick(oracle.resources.filter(({ resourceType }) => resourceType === target))
  const found = oracle.values(resource, code)
  const made = found.length === 0 ? null : valued(making, ruleOf(target, code).type, pick(found))
  return made === null ? null : [head + code + made[0], made[1]]
}

const pointing: Readonly<Record<string, readonly (readonly [string, string, string])[]>> = {
  Patient: [
    ['Observation', 'patient', 'code'],
    ['Task', 'patient', 'status'],
    ['Observation', 'subject', 'value-quantity'],
  ],
  Observation: [
    ['Provenance', 'target', 'agent'],
    ['Task', 'focus', 'priority'],
    ['Observation', 'has-member', 'code'],
  ],
  Encounter: [['Observation', 'encounter', 'code']],
}

function hasOf(making: Making): Asked | null {
  const { type, oracle, pick } = making
  if (pointing[type] === undefined) return null
  const [from, reference, code] = pick(pointing[type])
  const resource = pick(oracle.resources.filter(({ resourceType }) => resourceType === from))
  const found = oracle.values(resource, code)
  const made = found.length === 0 ? null : valued(making, ruleOf(from, code).type, pick(found))
  return made === null ? null : [`_has:${from}:${reference}:${code}${made[0]}`, made[1]]
}
