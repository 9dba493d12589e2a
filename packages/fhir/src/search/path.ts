/**
 * The FHIRPath of search parameters as closures. The definitions of the types in use need a small part of the language: names
 * (choices included), `ofType`, `where(resolve() is X)`, `where(name='text')`, an index, unions. Anything else fails when it is
 * compiled, so a new definition cannot be misread in silence.
 */
import { usesOf } from '../definitions/index.ts'

export type Node = Readonly<Record<string, unknown>>
/** @param parent the element or resource in which the value stands */
export type Emit = (value: unknown, parent: Node) => void
/** Calls `emit` for each value that the expression gives. */
export type Reader = (root: Node, emit: Emit) => void

/** What comes next for one value; `content` is the type or part that it is of, where known. */
type Step = (value: unknown, parent: Node, emit: Emit) => void

const known = new Map<string, Map<string, Reader>>()

/** @param type resource type, or the path of a part (`Observation.component`) that the expression starts from */
export function readerOf(type: string, expression: string): Reader {
  const ofType = known.get(type) ?? new Map<string, Reader>()
  known.set(type, ofType)
  const reader = ofType.get(expression) ?? compiled(type, expression)
  ofType.set(expression, reader)
  return reader
}

function compiled(type: string, expression: string): Reader {
  const exists = /^(\S+)\.exists\(\) and \1 != false$/.exec(expression)
  if (exists !== null) return presence(readerOf(type, exists[1]!))
  const readers = unionOf(expression).map((path) => readerOfPath(type, path))
  if (readers.length === 1) return readers[0]!
  return (root, emit) => {
    for (const reader of readers) reader(root, emit)
  }
}

/** `Patient.deceased`: said at all, and not said to be false. */
const presence =
  (reader: Reader): Reader =>
  (root, emit) => {
    let isThere = false
    reader(root, (value) => {
      isThere ||= value !== false
    })
    emit(isThere, root)
  }

/** `(A.b.ofType(X)) | C.d` to its paths, without the brackets around a whole path. */
function unionOf(expression: string): string[] {
  return expression.split(' | ').map((path) => path.trim().replace(/^\(([^()]*\([^()]*\)[^()]*|[^()]*)\)/, '$1'))
}

/** A path of the part of the definition that is about this type; another type's gives nothing. */
function readerOfPath(type: string, path: string): Reader {
  const steps = path.match(/[A-Za-z][\w]*(\((?:[^()]|\([^()]*\))*\))?|\[\d+\]/g) ?? []
  const [head = '', ...rest] = steps
  const isRooted = head === type || head === 'Resource' || head === 'DomainResource'
  if (!isRooted && /^[A-Z]/.test(head)) return () => {}
  const read = chained(type, isRooted ? rest : steps, path)
  return (root, emit) => read(root, root, emit)
}

function chained(content: string | undefined, steps: readonly string[], path: string): Step {
  const [step, ...rest] = steps
  if (step === undefined) return (value, parent, emit) => emit(value, parent)
  const filter = filterOf(step)
  if (filter !== null) {
    const next = chained(content, rest, path)
    return (value, parent, emit) => {
      if (filter(value)) next(value, parent, emit)
    }
  }
  if (!/^\w+$/.test(step)) throw new Error(`No reader for \`${step}\` of \`${path}\`.`)
  return named(content, step, rest, path)
}

function filterOf(step: string): ((value: unknown) => boolean) | null {
  const target = /^where\(resolve\(\) is (\w+)\)$/.exec(step)
  if (target !== null) return (value) => isReferenceTo(value, target[1]!)
  const equal = /^where\((\w+)\s*=\s*'([^']*)'\)$/.exec(step)
  if (equal !== null) return (value) => isNode(value) && value[equal[1]!] === equal[2]
  return null
}

/** A reference says its type by its last two segments, or by `type` where it is an identifier only. */
function isReferenceTo(value: unknown, type: string): boolean {
  if (!isNode(value)) return false
  if (typeof value.reference === 'string') return targetOf(value.reference)?.type === type
  return value.type === type
}

/** `Patient/1`, `https://host/fhir/Patient/1/_history/2` to type and id; null for what names no type (`urn:uuid:...`, `#p`). */
export function targetOf(reference: string): { readonly type: string; readonly id: string } | null {
  const match = /(?:^|\/)([A-Z][A-Za-z]+)\/([A-Za-z0-9\-.]{1,64})(?:\/_history\/[^/]+)?$/.exec(reference)
  return match === null ? null : { type: match[1]!, id: match[2]! }
}

function named(content: string | undefined, name: string, rest: readonly string[], path: string): Step {
  const index = /^\[(\d+)\]$/.exec(rest[0] ?? '')
  const ofType = /^ofType\((\w+)\)$/.exec(rest[0] ?? '')
  const after = index === null && ofType === null ? rest : rest.slice(1)
  const spellings = spellingsOf(content, name, ofType?.[1], path).map(({ spelling, type }) => ({
    spelling,
    next: chained(type, after, path),
  }))
  const only = index === null ? undefined : Number(index[1])
  return (value, _parent, emit) => {
    if (!isNode(value)) return
    for (const { spelling, next } of spellings) {
      const child = value[spelling]
      if (child === undefined || child === null) continue
      if (!Array.isArray(child)) next(child, value, emit)
      else
        for (const [place, item] of child.entries())
          if ((only === undefined || place === only) && item !== null) next(item, value, emit)
    }
  }
}

function spellingsOf(content: string | undefined, name: string, ofType: string | undefined, path: string) {
  const uses = content === undefined ? [] : [...usesOf(content).values()]
  const found = uses
    .filter(({ element }) => element.name === name)
    .filter(({ type }) => ofType === undefined || type.code.toLowerCase() === ofType.toLowerCase())
    .map(({ spelling, type }) => ({ spelling, type: type.content }))
  if (found.length === 0) throw new Error(`The definitions have no \`${name}\` for \`${path}\` in ${content}.`)
  return found
}

export const isNode = (value: unknown): value is Node =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
