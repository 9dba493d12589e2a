/**
 * What a sealed body says, decided in pure functions: the name to show, the words to find it by, the identifiers that stand
 * as HMACs. Everything here is PHI: none of it goes into logs, errors, URLs or plain columns.
 */
import type { SubjectKind, SubjectResource } from '@careloop/contract'

const kinds = { Patient: 'patient', Device: 'asset', Location: 'location' } as const

export const kindOf = (body: SubjectResource): SubjectKind => kinds[body.resourceType]

/** The name to show: `Family, Given` of the official or usual name, the asset's or the location's name; without one, words that say so. */
export function displayOf(body: SubjectResource): string {
  if (body.resourceType === 'Location') return wordOr(body.name, 'Location without a name')
  if (body.resourceType === 'Device')
    return wordOr(body.deviceName?.[0]?.name ?? body.modelNumber, 'Device without a name')
  const names = body.name ?? []
  const name = names.find((each) => each.use === 'official') ?? names.find((each) => each.use === 'usual') ?? names[0]
  // A part of a name whose value is not known stands as null in FHIR JSON.
  const given = name?.given?.filter((part) => typeof part === 'string').join(' ')
  const parts = [name?.family, given].filter((part) => part !== undefined && part !== '')
  return wordOr(parts.length > 0 ? parts.join(', ') : name?.text, 'Patient without a name')
}

const wordOr = (word: string | undefined, otherwise: string): string =>
  word === undefined || word.trim() === '' ? otherwise : word

// Letters that Unicode does not take apart into a base letter and a mark.
const foldings: Record<string, string> = { ß: 'ss', ø: 'o', æ: 'ae', œ: 'oe', ł: 'l', đ: 'd', ð: 'd', þ: 'th', ı: 'i' }

/** Lower case, without accents, ligatures resolved: `Đặng Øyvind` and `dang oyvind` are the same. */
export const fold = (text: string): string =>
  text
    .normalize('NFKD')
    .replace(/\p{M}/gu, '')
    .toLowerCase()
    .replace(/[ßøæœłđðþı]/g, (letter) => foldings[letter]!)

/** Folded words of a text; a date `YYYY-MM-DD` is one word, an apostrophe joins (`O'Brien` = `obrien`). */
export const wordsIn = (text: string): string[] =>
  fold(text)
    .replace(/['’ʼ`]/g, '')
    .match(/\d{4}-\d{2}(?:-\d{2})?|[\p{L}\p{N}]+/gu) ?? []

/** Words by which a subject is found: names, addresses, birth date. */
export function searchWordsOf(body: SubjectResource): ReadonlySet<string> {
  const texts: (string | null | undefined)[] = []
  if (body.resourceType === 'Patient') {
    for (const name of body.name ?? []) texts.push(name.text, name.family, ...(name.given ?? []))
    for (const address of body.address ?? []) texts.push(...addressTexts(address))
    texts.push(body.birthDate)
  } else if (body.resourceType === 'Device') {
    for (const { name } of body.deviceName ?? []) texts.push(name)
    texts.push(body.manufacturer, body.modelNumber)
  } else {
    texts.push(body.name, body.description, ...(body.address ? addressTexts(body.address) : []))
  }
  return new Set(texts.flatMap((text) => (typeof text === 'string' ? wordsIn(text) : [])))
}

interface AddressLike {
  readonly text?: string | undefined
  readonly line?: readonly string[] | undefined
  readonly city?: string | undefined
  readonly district?: string | undefined
  readonly state?: string | undefined
  readonly postalCode?: string | undefined
  readonly country?: string | undefined
}

const addressTexts = (address: AddressLike): (string | undefined)[] => [
  address.text,
  ...(address.line ?? []),
  address.city,
  address.district,
  address.state,
  address.postalCode,
  address.country,
]

/** What is found by exact match only. `isUnique`: names one subject; a telephone may be a family's. */
export interface ExactKey {
  readonly system: string
  readonly normalised: string
  readonly isUnique: boolean
  /** JSON pointer into the body. */
  readonly pointer: string
}

export const phoneSystem = 'urn:careloop:phone'
export const emailSystem = 'urn:careloop:email'

/** Case and blanks are not part of an identifier: `MRN 00 12a` is written `mrn0012A` by the next person. */
export const normaliseIdentifier = (value: string): string => value.normalize('NFKC').replace(/\s+/g, '').toUpperCase()
/** Digits, and a leading plus: `00` is what people dial for it. */
export const normalisePhone = (value: string): string => {
  const digits = value.normalize('NFKC').replace(/[^\d+]/g, '')
  return digits.startsWith('00') ? `+${digits.slice(2)}` : digits
}
export const normaliseEmail = (value: string): string => value.normalize('NFKC').trim().toLowerCase()

/** Identifiers, telephone numbers and e-mail addresses of a body, each once. */
export function exactKeysOf(body: SubjectResource): ExactKey[] {
  // A number without its numbering system names nobody.
  const keys: ExactKey[] = (body.identifier ?? []).flatMap(({ system, value, use }, at) =>
    system === undefined || value === undefined
      ? []
      : [{ system, normalised: normaliseIdentifier(value), isUnique: use !== 'old', pointer: `/identifier/${at}` }],
  )
  const telecom = body.resourceType === 'Patient' ? (body.telecom ?? []) : []
  telecom.forEach(({ system, value }, at) => {
    if (value === undefined) return
    const pointer = `/telecom/${at}`
    if (system === 'email')
      keys.push({ system: emailSystem, normalised: normaliseEmail(value), isUnique: false, pointer })
    if (system === 'phone' || system === 'sms')
      keys.push({ system: phoneSystem, normalised: normalisePhone(value), isUnique: false, pointer })
  })
  const seen = new Set<string>()
  return keys.filter((key) => {
    const mark = `${key.system} ${key.normalised}`
    return key.normalised !== '' && !seen.has(mark) && seen.add(mark)
  })
}
