/** Values of FHIR's primitive types as JSON holds them (FHIR R4, 2.24.0.1). */

/** What a value must be, in words for the sender; undefined when the value is one. */
export type PrimitiveCheck = (value: unknown) => string | undefined

const DAY = `([0-9]{4})(?:-(0[1-9]|1[0-2])(?:-(0[1-9]|[12][0-9]|3[01]))?)?`
const TIME = String.raw`(?:[01][0-9]|2[0-3]):[0-5][0-9]:(?:[0-5][0-9]|60)(?:\.[0-9]+)?`
const ZONE = `(?:Z|[+-](?:(?:0[0-9]|1[0-3]):[0-5][0-9]|14:00))`
const date = new RegExp(`^${DAY}$`)
const dateTime = new RegExp(`^([0-9]{4})(?:-(0[1-9]|1[0-2])(?:-(0[1-9]|[12][0-9]|3[01])(?:T${TIME}${ZONE})?)?)?$`)
const instant = new RegExp(`^([0-9]{4})-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])T${TIME}${ZONE}$`)

const STRING_MAX = 1_048_576
const INT_MAX = 2_147_483_647
const DAYS_OF_MONTH = [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]

const string: PrimitiveCheck = (value) => {
  if (typeof value !== 'string') return 'a string'
  if (value.length > STRING_MAX) return 'a string of at most 1 MiB'
  return hasText(value) ? undefined : 'a string with some text: leave the element out instead'
}

/** The checks by the name of the primitive. */
export const primitiveChecks: Readonly<Record<string, PrimitiveCheck>> = {
  boolean: (value) => (typeof value === 'boolean' ? undefined : 'true or false, without quotes'),
  integer: (value) => whole(value, -INT_MAX - 1, 'a whole number of at most 32 bits, without quotes'),
  unsignedInt: (value) => whole(value, 0, 'a whole number of 0 or more, without quotes'),
  positiveInt: (value) => whole(value, 1, 'a whole number of 1 or more, without quotes'),
  decimal: (value) => (typeof value === 'number' && Number.isFinite(value) ? undefined : 'a number, without quotes'),
  string,
  markdown: string,
  xhtml: string,
  code: pattern(/^[^\s]+(?:\s[^\s]+)*$/, 'a code: no spaces around it, single ones inside'),
  id: pattern(/^[A-Za-z0-9\-.]{1,64}$/, 'an id: 1 to 64 letters, digits, - and .'),
  uri: pattern(/^\S+$/, 'a URI without spaces'),
  url: pattern(/^\S+$/, 'a URL without spaces'),
  canonical: pattern(/^\S+$/, 'a canonical URL without spaces'),
  oid: pattern(/^urn:oid:[0-2](?:\.(?:0|[1-9][0-9]*))+$/, 'an OID as urn:oid:1.2.3'),
  uuid: pattern(
    /^urn:uuid:[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/,
    'a UUID as urn:uuid: and lower case',
  ),
  base64Binary: (value) => (typeof value === 'string' && isBase64(value) ? undefined : 'base64 text'),
  date: (value) => calendar(value, date, 'a date that exists: YYYY, YYYY-MM or YYYY-MM-DD'),
  dateTime: (value) =>
    calendar(value, dateTime, 'a date that exists, with a time only when seconds and time zone are given'),
  instant: (value) => calendar(value, instant, 'an instant: date, time to the second and time zone'),
  time: pattern(new RegExp(`^${TIME}$`), 'a time as hh:mm:ss, without time zone'),
}

function pattern(expression: RegExp, wanted: string): PrimitiveCheck {
  return (value) => (typeof value === 'string' && expression.test(value) ? undefined : wanted)
}

function whole(value: unknown, min: number, wanted: string): string | undefined {
  return Number.isInteger(value) && (value as number) >= min && (value as number) <= INT_MAX ? undefined : wanted
}

/** Something else than white space: most texts show it in their first character. */
function hasText(value: string): boolean {
  return value.charCodeAt(0) > 32 || /\S/.test(value)
}

function calendar(value: unknown, expression: RegExp, wanted: string): string | undefined {
  if (typeof value !== 'string') return wanted
  const found = expression.exec(value)
  if (found === null || found[1] === '0000') return wanted
  return found[3] === undefined || dayExists(Number(found[1]), Number(found[2]), Number(found[3])) ? undefined : wanted
}

function dayExists(year: number, month: number, day: number): boolean {
  if (month === 2 && day === 29) return (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0
  return day <= DAYS_OF_MONTH[month - 1]!
}

/** White space may stand between groups of four. Looked at in pieces without backtracking: it can be megabytes. */
function isBase64(value: string): boolean {
  const digits = /\s/.test(value) ? value.replace(/\s+/g, '') : value
  return digits.length > 0 && digits.length % 4 === 0 && /^[0-9A-Za-z+/]*={0,2}$/.test(digits)
}
