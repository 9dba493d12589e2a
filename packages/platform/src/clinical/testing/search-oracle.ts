/**
 * What a search must find, by brute force: the FHIRPath of the definitions as it stands, evaluated by the reference implementation,
 * and comparisons written apart from the product's, straight from the words of FHIR R4 search. Slow, and used by tests only.
 */
import { createRequire } from 'node:module'
import { type Resource, searchParametersOf } from '@careloop/fhir'

const require = createRequire(import.meta.url)
const fhirpath = require('fhirpath') as {
  compile(expression: string, model: unknown): (resource: unknown) => unknown[]
}
const r4 = require('fhirpath/fhir-context/r4') as unknown
const ucum = (
  require('@lhncbc/ucum-lhc') as {
    UcumLhcUtils: {
      getInstance(): {
        convertUnitTo(
          from: string,
          value: number,
          to: string,
          ...more: unknown[]
        ): { status: string; toVal: number | null }
      }
    }
  }
).UcumLhcUtils.getInstance()

/** One pair of a query: name with modifiers, value as it is sent. */
export type Asked = readonly [name: string, value: string]

export interface Oracle {
  readonly resources: readonly Resource[]
  /** ids, in no order. */
  find(type: string, asked: readonly Asked[], now: number): Set<string>
  /** What a parameter reads from a resource. */
  values(resource: Resource, code: string): readonly unknown[]
}

type Rule = ReturnType<typeof searchParametersOf>[number]
const compiled = new Map<string, (resource: unknown) => unknown[]>()

/** `resolve()` would fetch: the type stands in the reference itself. */
const resolvable = (expression: string): string =>
  expression.replace(
    /resolve\(\) is (\w+)/g,
    (_, type) => `(reference.startsWith('${type}/') or reference.contains('/${type}/') or type = '${type}')`,
  )

function read(expression: string, resource: unknown): readonly unknown[] {
  const evaluate = compiled.get(expression) ?? fhirpath.compile(resolvable(expression), r4)
  compiled.set(expression, evaluate)
  return evaluate(resource).map(plain)
}

/** The library gives quantities and times as objects of its own. */
const plain = (value: unknown): unknown => JSON.parse(JSON.stringify(value)) as unknown

export function makeOracle(resources: readonly Resource[]): Oracle {
  const known = new Map<Resource, Map<string, readonly unknown[]>>()
  const byReference = new Map(resources.map((resource) => [`${resource.resourceType}/${resource.id}`, resource]))
  const values = (resource: Resource, code: string): readonly unknown[] => {
    const ofResource = known.get(resource) ?? new Map<string, readonly unknown[]>()
    known.set(resource, ofResource)
    const found = ofResource.get(code) ?? read(ruleOf(resource.resourceType, code).expression, resource)
    ofResource.set(code, found)
    return found
  }
  const world: World = { values, byReference, resources }
  return {
    resources,
    values,
    find: (type, asked, now) =>
      new Set(
        resources
          .filter((resource) => resource.resourceType === type)
          .filter((resource) => asked.every((one) => fulfils(world, resource, one, now)))
          .map(({ id }) => id!),
      ),
  }
}

interface World {
  readonly values: Oracle['values']
  readonly byReference: ReadonlyMap<string, Resource>
  readonly resources: readonly Resource[]
}

export function ruleOf(type: string, code: string): Rule {
  const rule = searchParametersOf(type).find((one) => one.code === code)
  if (rule === undefined) throw new Error(`${type} has no parameter ${code}`)
  return rule
}

function fulfils(world: World, resource: Resource, [name, value]: Asked, now: number): boolean {
  if (name.startsWith('_has:')) return isPointedAt(world, resource, name, value, now)
  const dot = name.indexOf('.')
  if (dot > 0) return isChained(world, resource, [name.slice(0, dot), name.slice(dot + 1)], value, now)
  const [code = '', modifier] = name.split(':')
  const rule = ruleOf(resource.resourceType, code)
  if (modifier === 'missing') return (present(world, resource, rule).length === 0) === (value === 'true')
  const alternatives = value.split(',')
  const isAny = alternatives.some((one) => isOne(world, resource, rule, modifier, one, now))
  return modifier === 'not' ? !isAny : isAny
}

const present = (world: World, resource: Resource, rule: Rule): readonly unknown[] =>
  rule.parts === undefined
    ? world.values(resource, rule.code)
    : tuples(resource, rule).filter((parts) => parts.every(({ length }) => length > 0))

function isPointedAt(world: World, resource: Resource, name: string, value: string, now: number): boolean {
  const [, type = '', reference = '', ...rest] = name.split(':')
  const own = `${resource.resourceType}/${resource.id}`
  return world.resources.some(
    (other) =>
      other.resourceType === type &&
      world.values(other, reference).some((one) => (one as { reference?: string }).reference === own) &&
      fulfils(world, other, [rest.join(':'), value], now),
  )
}

function isChained(
  world: World,
  resource: Resource,
  [first, rest]: [string, string],
  value: string,
  now: number,
): boolean {
  const [code = '', type] = first.split(':')
  return world.values(resource, code).some((one) => {
    const target = world.byReference.get((one as { reference?: string }).reference ?? '')
    if (target === undefined || (type !== undefined && target.resourceType !== type)) return false
    const known = searchParametersOf(target.resourceType).some((rule) => rule.code === rest.split(/[.:]/)[0])
    return known && fulfils(world, target, [rest, value], now)
  })
}

function isOne(
  world: World,
  resource: Resource,
  rule: Rule,
  modifier: string | undefined,
  value: string,
  now: number,
): boolean {
  if (rule.parts !== undefined) {
    const wanted = value.split('$')
    return tuples(resource, rule).some((found) =>
      found.every((list, at) => list.some((one) => compare(rule.parts![at]!.type, undefined, one, wanted[at]!, now))),
    )
  }
  return world.values(resource, rule.code).some((one) => compare(rule.type, modifier, one, value, now))
}

/** For each element of a composite, what each part finds in it. */
function tuples(resource: Resource, rule: Rule): (readonly unknown[])[][] {
  return rule.expression
    .split(' | ')
    .flatMap((path) =>
      read(path, resource).map((element) => rule.parts!.map(({ expression }) => partOf(element, expression))),
    )
}

/** `code`, `value.ofType(Quantity)`: of an element without its type, the choice is told by its spelling. */
function partOf(element: unknown, expression: string): readonly unknown[] {
  const held = element as Record<string, unknown>
  return expression.split(' | ').flatMap((path) => {
    const [name = '', type] = path.split(/\.ofType\(|\)/)
    const spelled = type === undefined ? new RegExp(`^${name}([A-Z]\\w*)?$`) : new RegExp(`^${name}${type}$`, 'i')
    return Object.keys(held).flatMap((key) => (spelled.test(key) ? [held[key]] : []))
  })
}

function compare(type: string, modifier: string | undefined, found: unknown, value: string, now: number): boolean {
  if (modifier === 'identifier') return ofToken((found as { identifier?: unknown }).identifier, undefined, value)
  switch (type) {
    case 'token':
      return ofToken(found, modifier, value)
    case 'string':
      return ofString(found, modifier, value)
    case 'reference':
      return ofReference(found, modifier, value)
    case 'uri':
      return ofUri(found, modifier, value)
    case 'date':
      return ofDate(found, value, now)
    case 'quantity':
      return ofQuantity(found, value)
    default:
      throw new Error(`no comparison for ${type}`)
  }
}

type Json = Record<string, unknown>
const codesIn = (found: unknown): { system?: unknown; code: string; isContact: boolean }[] => {
  if (typeof found !== 'object') return [{ code: String(found), isContact: false }]
  const { coding, code, system, value, rank: _ } = (found ?? {}) as Json
  if (Array.isArray(coding)) return coding.flatMap(codesIn)
  const isContact = ['phone', 'email', 'fax', 'url', 'sms', 'pager', 'other'].includes(String(system))
  const text = code ?? value
  return typeof text === 'string' ? [{ system, code: text, isContact }] : []
}

function ofToken(found: unknown, modifier: string | undefined, value: string): boolean {
  if (modifier === 'text') {
    const words = (node: unknown): string[] => {
      const { text, display, coding, type } = (node ?? {}) as Json
      const all = [text, display, ...((coding as Json[] | undefined) ?? []).map((one) => one.display)]
      return [
        ...all.filter((word): word is string => typeof word === 'string'),
        ...(type === undefined ? [] : words(type)),
      ]
    }
    return typeof found === 'object' && words(found).some((word) => simple(word).startsWith(simple(value)))
  }
  if (modifier === 'of-type') {
    const [system, code, held] = value.split('|')
    const { value: own, type } = found as { value?: string; type?: { coding?: Json[] } }
    return own === held && (type?.coding ?? []).some((one) => one.system === system && one.code === code)
  }
  const bar = value.indexOf('|')
  return codesIn(found).some(({ system, code, isContact }) => {
    const same = (wanted: string) => (isContact ? code.toLowerCase() === wanted.toLowerCase() : code === wanted)
    if (bar < 0) return same(value)
    const [wantedSystem, wantedCode] = [value.slice(0, bar), value.slice(bar + 1)]
    if (wantedSystem === '') return system === undefined && same(wantedCode)
    return system === wantedSystem && (wantedCode === '' || same(wantedCode))
  })
}

/** Letters without accents and case; spaces are one. */
const simple = (text: string): string =>
  [...text.normalize('NFKD')]
    .filter((letter) => !/\p{Mn}/u.test(letter))
    .join('')
    .toLowerCase()
    .split(/\s+/)
    .filter((word) => word !== '')
    .join(' ')

function ofString(found: unknown, modifier: string | undefined, value: string): boolean {
  const texts =
    typeof found === 'string'
      ? [found]
      : Object.entries(found as Json)
          .filter(([name]) => !['use', 'type', 'period', 'extension', 'id'].includes(name))
          .flatMap(([, one]) => one as string | string[])
  if (modifier === 'exact') return texts.includes(value)
  return texts.some((text) =>
    modifier === 'contains' ? simple(text).includes(simple(value)) : simple(text).startsWith(simple(value)),
  )
}

function ofReference(found: unknown, modifier: string | undefined, value: string): boolean {
  const text = typeof found === 'string' ? found : (found as { reference?: string }).reference
  if (text === undefined) return false
  const held = text.split('/_history/')[0]!
  if (value.includes(':')) return held === value || (held.split('|')[0] === value && !value.includes('|'))
  if (value.includes('/')) return held === value
  const isOfType = modifier === undefined || held.startsWith(`${modifier}/`)
  return isOfType && /^[A-Z][A-Za-z]+\/[^/]+$/.test(held) && held.split('/')[1] === value
}

function ofUri(found: unknown, modifier: string | undefined, value: string): boolean {
  const held = String(found)
  const segments = (url: string) => url.replace(/\/$/, '').split('/')
  const isUnder = (deep: string, high: string) => segments(high).every((part, at) => segments(deep)[at] === part)
  if (modifier === 'below') return isUnder(held, value)
  if (modifier === 'above') return isUnder(value, held)
  return held === value || held.split('|')[0] === value
}

/** First and last millisecond of what is written. */
function reach(text: string): [number, number] {
  const [date = '', time] = text.split('T')
  const [year, month, day] = date.split('-').map(Number)
  if (time === undefined) {
    const first = Date.UTC(year!, (month ?? 1) - 1, day ?? 1)
    const next =
      day !== undefined
        ? Date.UTC(year!, month! - 1, day + 1)
        : month !== undefined
          ? Date.UTC(year!, month, 1)
          : Date.UTC(year! + 1, 0, 1)
    return [first, next - 1]
  }
  const zone = /(Z|[+-]\d\d:\d\d)$/.exec(time)?.[0] ?? 'Z'
  const clock = time.replace(zone, '')
  const full = clock.length === 5 ? `${clock}:00` : clock
  const first = Math.floor(new Date(`${date}T${full}${zone}`).getTime())
  return [first, first + (clock.length === 5 ? 59_999 : clock.includes('.') ? 0 : 999)]
}

function reachOf(found: unknown): [number, number] | null {
  if (typeof found === 'string') return reach(found)
  const { start, end, event, repeat } = found as {
    start?: string
    end?: string
    event?: string[]
    repeat?: { boundsPeriod?: unknown }
  }
  if (event !== undefined)
    return [Math.min(...event.map((one) => reach(one)[0])), Math.max(...event.map((one) => reach(one)[1]))]
  if (repeat !== undefined) return repeat.boundsPeriod === undefined ? null : reachOf(repeat.boundsPeriod)
  if (start === undefined && end === undefined) return null
  return [
    start === undefined ? Number.NEGATIVE_INFINITY : reach(start)[0],
    end === undefined ? Number.POSITIVE_INFINITY : reach(end)[1],
  ]
}

function ofDate(found: unknown, value: string, now: number): boolean {
  const [, prefix = 'eq', text = ''] = /^(eq|ne|gt|lt|ge|le|sa|eb|ap)?(.*)$/.exec(value)!
  const held = reachOf(found)
  if (held === null) return false
  const [first, last] = held
  const [from, to] = reach(text)
  const isInside = from <= first && last <= to
  switch (prefix) {
    case 'eq':
      return isInside
    case 'ne':
      return !isInside
    case 'gt':
      return last > to
    case 'lt':
      return first < from
    case 'ge':
      return last > to || isInside
    case 'le':
      return first < from || isInside
    case 'sa':
      return first > to
    case 'eb':
      return last < from
    default: {
      const slack = Math.abs(now - (from + to + 1) / 2) / 10
      return first < to + 1 + slack && last + 1 > from - slack
    }
  }
}

function ofQuantity(found: unknown, value: string): boolean {
  const [amount = '', system = '', code = ''] = value.split('|')
  const [, prefix = 'eq', digits = ''] = /^(eq|ne|gt|lt|ge|le|sa|eb|ap)?(.*)$/.exec(amount)!
  const number = Number(digits)
  const step = 10 ** -(digits.split('.')[1]?.length ?? 0)
  const held = measure(found)
  if (held === null) return false
  const isNamed = system === '' ? code === '' || held.code === code || held.unit === code : held.system === system
  if (!isNamed) return false
  const scale = (one: number) => (system === '' || held.code === code ? one : converted(one, code, held.code ?? ''))
  const [at, low, high] = [number, number - step / 2, number + step / 2].map(scale)
  if (at == null || low == null || high == null) return false
  const [least, most] = held.span
  const isExact = least === most
  const isEqual = isExact ? least >= low - dust(low) && least < high - dust(high) : least >= low && most <= high
  switch (prefix) {
    case 'eq':
      return isEqual
    case 'ne':
      return !isEqual
    case 'gt':
      return most > at
    case 'lt':
      return least < at
    case 'ge':
      return most >= at
    case 'le':
      return least <= at
    case 'sa':
      return least > at
    case 'eb':
      return most < at
    default: {
      const [from, to] = [number - Math.abs(number) / 10, number + Math.abs(number) / 10].map(scale)
      return least <= to! && most >= from!
    }
  }
}

const dust = (value: number): number => Math.abs(value) * 1e-12

function converted(value: number, from: string, to: string): number | null {
  const { status, toVal } = ucum.convertUnitTo(from, value, to)
  return status === 'succeeded' ? toVal : null
}

interface Measure {
  readonly system?: unknown
  readonly code?: string
  readonly unit?: unknown
  readonly span: readonly [number, number]
}

function measure(found: unknown): Measure | null {
  const { value, comparator, origin, data, factor, low, high, system, code, unit } = found as Json & {
    origin?: Json
    low?: Json
    high?: Json
  }
  if (origin !== undefined) {
    const samples = String(data ?? '')
      .split(' ')
      .filter((word) => !Number.isNaN(Number.parseFloat(word)))
      .map(Number)
    if (samples.length === 0) return null
    const levels = samples.map((one) => Number(origin.value) + one * Number(factor ?? 1))
    return { ...origin, span: [Math.min(...levels), Math.max(...levels)] } as Measure
  }
  if (low !== undefined || high !== undefined)
    return {
      ...(low ?? high),
      span: [Number(low?.value ?? Number.NEGATIVE_INFINITY), Number(high?.value ?? Number.POSITIVE_INFINITY)],
    } as Measure
  if (typeof value !== 'number') return null
  const isBelow = String(comparator ?? '').startsWith('<')
  const isAbove = String(comparator ?? '').startsWith('>')
  return {
    system,
    code: code as string,
    unit,
    span: [isBelow ? Number.NEGATIVE_INFINITY : value, isAbove ? Number.POSITIVE_INFINITY : value],
  }
}
