/** Whether a resource is what a search asks for: the one exact decision, whatever an index found. */
import type { Resource } from '../resource.ts'
import { contentOf } from './content.ts'
import { identifierOf, referenceOf, stringsOf, type Token, tokensOf, wordsOf } from './elements.ts'
import { fold } from './fold.ts'
import { fitsNumber } from './number.ts'
import { isNode, type Node, readerOf, targetOf } from './path.ts'
import { fitsQuantity, measuredOf } from './quantity.ts'
import type { Clause, Modifier, ParameterClause, SearchParameter, Value } from './search.ts'
import { fitsSpan } from './span.ts'
import { spanOfValue } from './time.ts'

export interface MatchOptions {
  /** Our own base: absolute references below it are our own. */
  readonly base?: string
  /** The resource behind `Type/id`, for chains that were not looked up before. */
  readonly resolve?: (reference: string) => Resource | null
}

/** @param resource plain JSON of the type that was searched */
export const matches = (resource: Resource, clauses: readonly Clause[], options: MatchOptions = {}): boolean =>
  clauses.every((clause) => fulfils(resource, clause, options))

function fulfils(resource: Resource, clause: Clause, options: MatchOptions): boolean {
  switch (clause.kind) {
    case 'parameter':
      return clause.modifier === 'not' ? !isAny(resource, clause, options) : isAny(resource, clause, options)
    case 'missing':
      return isMissing(resource, clause.parameter) === clause.isMissing
    case 'among':
      return clause.parameter === undefined
        ? clause.references.has(`${resource.resourceType}/${resource.id}`)
        : referencesOf(resource, clause.parameter, options.base).some((one) => clause.references.has(one))
    case 'chain': {
      const { resolve } = options
      if (resolve === undefined) throw new Error('A chain is decided only with the resources it leads to.')
      return referencesOf(resource, clause.parameter, options.base).some((reference) => {
        const type = targetOf(reference)?.type
        const target = clause.targets.find((one) => one.type === type)
        const found = target === undefined ? null : resolve(reference)
        return found !== null && fulfils(found, target!.clause, options)
      })
    }
    case 'has':
      throw new Error('A `_has` is looked up before a resource is decided on.')
  }
}

/** References of a parameter as `Type/id` (our own, also when spelled absolutely) or as the URL that stands there. */
export function referencesOf(resource: Resource, parameter: SearchParameter, base?: string): string[] {
  const found: string[] = []
  readerOf(resource.resourceType, parameter.expression)(resource, (value) => {
    const reference = referenceOf(value)
    if (reference !== undefined) found.push(ownOf(reference, base))
  })
  return found
}

const ownOf = (reference: string, base: string | undefined): string =>
  base !== undefined && reference.startsWith(`${base}/`) ? reference.slice(base.length + 1) : reference

function isMissing(resource: Resource, parameter: SearchParameter): boolean {
  let isThere = false
  const note = (value: unknown) => {
    isThere ||= isNode(value) ? Object.keys(value).length > 0 : true
  }
  if (parameter.components === undefined) readerOf(resource.resourceType, parameter.expression)(resource, note)
  else eachTuple(resource, parameter, (parts) => note(parts.every((part) => part.length > 0) ? true : {}))
  return !isThere
}

function isAny(resource: Resource, clause: ParameterClause, options: MatchOptions): boolean {
  const { parameter, values, modifier } = clause
  let isFound = false
  if (parameter.components !== undefined) {
    eachTuple(resource, parameter, (parts) => {
      isFound ||= values.some((value) => fitsTuple(parts, parameter, value, options))
    })
    return isFound
  }
  readerOf(resource.resourceType, parameter.expression)(resource, (found, parent) => {
    isFound ||= values.some((value) => fits({ found, parent }, parameter, modifier, value, options))
  })
  return isFound
}

interface Found {
  readonly found: unknown
  readonly parent: Node
}

/** For each element that a composite is about, what each of its parts reads there. */
function eachTuple(resource: Resource, parameter: SearchParameter, emit: (parts: readonly Found[][]) => void): void {
  for (const path of parameter.expression.split(' | ')) {
    const content = contentOf(path)
    readerOf(resource.resourceType, path)(resource, (element) => {
      if (!isNode(element)) return
      emit(
        parameter.components!.map(({ expression }) => {
          const all: Found[] = []
          readerOf(content, expression)(element, (found, parent) => all.push({ found, parent }))
          return all
        }),
      )
    })
  }
}

const fitsTuple = (
  parts: readonly Found[][],
  parameter: SearchParameter,
  value: Value,
  options: MatchOptions,
): boolean =>
  value.kind === 'tuple' &&
  value.parts.every((part, index) =>
    parts[index]!.some((found) => fits(found, parameter.components![index]!, undefined, part, options)),
  )

function fits(
  { found, parent }: Found,
  parameter: Pick<SearchParameter, 'type' | 'system'>,
  modifier: Modifier | undefined,
  value: Value,
  options: MatchOptions,
): boolean {
  switch (value.kind) {
    case 'token': {
      const held = modifier === 'identifier' ? identifierOf(found) : found
      return tokensOf(held, parameter.system).some((token) => isToken(token, value.system, value.code))
    }
    case 'typed':
      return isTyped(found, value)
    case 'set':
      return tokensOf(found, parameter.system).some(({ system, code }) => value.has(system, code))
    case 'text':
      return isText(found, parameter.type, modifier, value.text)
    case 'date': {
      const span = spanOfValue(found)
      return span !== null && fitsSpan(span, value)
    }
    case 'number':
      return typeof found === 'number' && fitsNumber({ low: found, high: found }, value)
    case 'quantity': {
      const measured = measuredOf(found)
      return measured !== null && fitsQuantity(measured, value, parent)
    }
    case 'reference':
      return isReference(found, value, options.base)
    case 'url':
      return isUrl(found, modifier, value.url)
    case 'tuple':
      return false
  }
}

/** A ContactPoint may be named by its use (`home|...`) too, and its value is compared without case. FHIR R4 search 3.1.1.4.10. */
function isToken(token: Token, system: string | undefined, code: string | undefined): boolean {
  if (code !== undefined && !isCode(token, code)) return false
  if (system === undefined) return true
  if (system === '') return token.system === undefined
  return token.system === system || token.use === system
}

const isCode = (token: Token, code: string): boolean =>
  token.isContact === true ? token.code.toLowerCase() === code.toLowerCase() : token.code === code

function isTyped(found: unknown, { system, code, value }: Extract<Value, { kind: 'typed' }>): boolean {
  if (!isNode(found) || found.value !== value) return false
  return tokensOf(found.type).some((token) => token.system === system && token.code === code)
}

function isText(found: unknown, type: SearchParameter['type'], modifier: Modifier | undefined, text: string): boolean {
  const held = type === 'string' ? stringsOf(found) : wordsOf(found)
  if (modifier === 'exact') return held.includes(text)
  const folded = held.map(fold)
  return folded.some((one) => (modifier === 'contains' ? one.includes(text) : one.startsWith(text)))
}

function isReference(found: unknown, { types, id }: Extract<Value, { kind: 'reference' }>, base?: string): boolean {
  const reference = referenceOf(found)
  if (reference === undefined) return false
  const own = ownOf(reference, base)
  return types.some((type) => own === `${type}/${id}`)
}

/** `:below` is by path segments; a canonical may carry a version after `|`. */
function isUrl(found: unknown, modifier: Modifier | undefined, url: string): boolean {
  const held = referenceOf(found)
  if (held === undefined) return false
  if (modifier === 'below') return held === url || held.startsWith(url.endsWith('/') ? url : `${url}/`)
  if (modifier === 'above') return held === url || url.startsWith(held.endsWith('/') ? held : `${held}/`)
  return held === url || (!url.includes('|') && held.split('|')[0] === url)
}
