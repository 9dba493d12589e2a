/** One value of a query, read as its parameter's type. FHIR R4 search 3.1.1.4. What cannot be read is refused, never guessed. */
import { valueSet } from '../definitions/index.ts'
import { canonicalQuantity } from '../ucum/index.ts'
import { fold } from './fold.ts'
import { numberOf } from './number.ts'
import { targetOf } from './path.ts'
import { ucum } from './quantity.ts'
import type { Modifier, Prefix, QuantityValue, SearchOptions, SearchParameter, Value } from './search.ts'
import { notSupported, SearchError } from './search-error.ts'
import { spanOfText } from './time.ts'

type Asked = Pick<SearchParameter, 'code' | 'type' | 'targets' | 'components'>

/** @param targets types that a reference may point to, when the modifier narrows them */
export function readValue(
  parameter: Asked,
  modifier: Modifier | undefined,
  text: string,
  options: SearchOptions,
  targets: readonly string[] = parameter.targets ?? [],
): Value {
  if (modifier === 'identifier') return tokenOf(text)
  switch (parameter.type) {
    case 'token':
      return modifiedToken(parameter, modifier, text, options)
    case 'string':
      return { kind: 'text', text: modifier === 'exact' ? unescaped(text) : fold(unescaped(text)) }
    case 'uri':
      return { kind: 'url', url: unescaped(text) }
    case 'reference':
      return referenceValue(unescaped(text), targets, options.base)
    case 'date':
      return dateOf(parameter, text, options.now)
    case 'number':
      return { kind: 'number', ...prefixedNumber(parameter, text) }
    case 'quantity':
      return quantityOf(parameter, text)
    case 'composite':
      return compositeOf(parameter, text, options)
  }
}

function modifiedToken(parameter: Asked, modifier: Modifier | undefined, text: string, options: SearchOptions): Value {
  if (modifier === 'text') return { kind: 'text', text: fold(unescaped(text)) }
  if (modifier === 'in') {
    const has = (options.valueSet ?? ownValueSet)(unescaped(text))
    if (has === null)
      throw notSupported('value-set', `\`${parameter.code}:in\` names a value set that this server does not hold.`)
    return { kind: 'set', has }
  }
  if (modifier !== 'of-type') return tokenOf(text)
  const [system, code, value, ...more] = split(text, '|').map(unescaped)
  if (!system || !code || !value || more.length > 0)
    throw invalid(parameter, 'is `system|code|value` with the modifier `of-type`')
  return { kind: 'typed', system, code, value }
}

/** Those of the definitions; a code without a system is told by itself, as elements of the type `code` are. */
function ownValueSet(url: string) {
  const set = valueSet(url)
  if (set === undefined) return null
  return (system: string | undefined, code: string) =>
    system === undefined ? set.hasCode(code) : set.has(system, code)
}

/** `system|code`, `|code` (no system), `system|` (any code of it), `code` (any system). */
function tokenOf(text: string): Value {
  const parts = split(text, '|').map(unescaped)
  if (parts.length === 1) return { kind: 'token', code: parts[0]! }
  const [system = '', ...rest] = parts
  const code = rest.join('|')
  return { kind: 'token', system, ...(code === '' ? {} : { code }) }
}

/** An id alone may be of any of the types; our own address is left out. */
function referenceValue(text: string, targets: readonly string[], base: string | undefined): Value {
  const own = base !== undefined && text.startsWith(`${base}/`) ? text.slice(base.length + 1) : text
  if (/^[A-Za-z0-9\-.]{1,64}$/.test(own)) return { kind: 'reference', types: targets, id: own }
  const target = /^[A-Z]/.test(own) ? targetOf(own) : null
  return target === null ? { kind: 'url', url: own } : { kind: 'reference', types: [target.type], id: target.id }
}

function dateOf(parameter: Asked, text: string, now: number): Value {
  const [prefix, rest] = prefixOf(text)
  const span = spanOfText(rest)
  if (span === null) throw invalid(parameter, 'is a date such as `2026-11-23` or `ge2026-11-23T08:00:00Z`')
  if (prefix !== 'ap') return { kind: 'date', prefix, ...span }
  // The specification's own advice: a tenth of the time between now and then.
  const slack = Math.abs(now - (span.from + span.to) / 2) * 0.1
  return { kind: 'date', prefix, from: span.from - slack, to: span.to + slack }
}

function prefixedNumber(parameter: Asked, text: string) {
  const [prefix, rest] = prefixOf(text)
  const number = numberOf(rest, prefix)
  if (number === null) throw invalid(parameter, 'starts with a number, such as `5.4` or `gt5.4`')
  return number
}

/** `[prefix]number`, `[prefix]number|system|code`, `[prefix]number||code`. */
function quantityOf(parameter: Asked, text: string): QuantityValue {
  const [number = '', system = '', code = '', ...more] = split(text, '|').map(unescaped)
  if (more.length > 0 || (system !== '' && code === ''))
    throw invalid(parameter, 'is `number`, `number|system|code` or `number||code`')
  const value = prefixedNumber(parameter, number)
  if (code === '') return { kind: 'quantity', ...value }
  const unit = system === '' ? { code } : { system, code }
  if (system !== ucum) return { kind: 'quantity', ...value, unit }
  const [middle, low, high] = [value.value, value.low, value.high].map((one) => canonicalQuantity(one, code))
  if (!middle || !low || !high) throw invalid(parameter, 'names a unit of UCUM, such as `mm[Hg]`; this one is none')
  const canonical = { unit: middle.unit, value: middle.value, low: low.value, high: high.value }
  return { kind: 'quantity', ...value, unit, canonical }
}

function compositeOf(parameter: Asked, text: string, options: SearchOptions): Value {
  const components = parameter.components ?? []
  const parts = split(text, '$')
  if (parts.length !== components.length) throw invalid(parameter, `has ${components.length} parts joined by \`$\``)
  return {
    kind: 'tuple',
    parts: components.map((component, index) => readValue(component, undefined, parts[index]!, options)),
  }
}

function prefixOf(text: string): [Prefix, string] {
  const match = /^(eq|ne|gt|lt|ge|le|sa|eb|ap)(.*)$/s.exec(text)
  return match === null ? ['eq', text] : [match[1] as Prefix, match[2]!]
}

const invalid = (parameter: Asked, what: string): SearchError =>
  new SearchError('search-value', `A value of \`${parameter.code}\` ${what}.`)

/** Splits where the separator is not escaped (`\,`, `\|`, `\$`). */
export function split(text: string, separator: string): string[] {
  const parts = ['']
  for (let index = 0; index < text.length; index++) {
    if (text[index] === '\\' && index + 1 < text.length) parts[parts.length - 1] += text[index]! + text[++index]!
    else if (text[index] === separator) parts.push('')
    else parts[parts.length - 1] += text[index]!
  }
  return parts
}

const unescaped = (text: string): string => text.replace(/\\([\\,|$])/g, '$1')
