import { isResourceType } from '../definitions/index.ts'
import { idPattern } from '../resource.ts'
import { type Invariant, type Loose, loose } from './invariant.ts'
import type { Frame, Run } from './run.ts'

/**
 * Targets that R4 forgot: its own example goes there, and R5 allows it. Without them a valid record would be refused.
 */
const ERRATA: Readonly<Record<string, readonly string[]>> = {
  'DeviceUseStatement.reasonReference': ['Procedure'],
}

/** What a reference may look like: `#id`, an absolute URI, `Type/id`, or `Type?search` in a transaction (R4, 2.3.0.1). */
export const readableReference: Invariant = {
  key: 'reference',
  severity: 'error',
  human: 'A reference is #id, an absolute URL, urn:uuid:..., or Type/id with the type as FHIR spells it: Patient/123.',
  holds(value) {
    const { reference } = loose(value)
    if (typeof reference !== 'string' || reference.startsWith('#') || reference.includes(':')) return true
    if (reference.includes('?')) return isResourceType(reference.split('?')[0]!)
    const [, type, id] = /^([A-Za-z]+)\/([^/]+)(?:\/_history\/[^/]+)?$/.exec(reference) ?? []
    return type !== undefined && isResourceType(type) && idPattern.test(id!)
  },
}

/** The types that a reference at a path of the definitions may go to; undefined when it may go anywhere. */
export function targetsAt(path: string, targets: readonly string[]): ReadonlySet<string> | undefined {
  if (targets.length === 0 || targets.includes('Resource')) return undefined
  return new Set([...targets, ...(ERRATA[path] ?? [])])
}

/** Checks that a Reference names a type that may stand here, as far as the reference or what comes with it tells. */
export function checkTarget(value: unknown, targets: ReadonlySet<string>, run: Run, frame: Frame): void {
  const reference = loose(value)
  const type = targetType(reference, frame)
  if (type !== undefined && !targets.has(type)) {
    run.error(
      'value',
      'reference-target',
      `A reference here goes to ${[...targets].join(', ')}; this one goes to ${type}.`,
    )
  } else if (typeof reference.type === 'string' && /^[A-Za-z]+$/.test(reference.type) && !targets.has(reference.type)) {
    run.error('value', 'reference-target', `A reference here is of type ${[...targets].join(', ')}.`, 'type')
  }
}

/** The type that a reference goes to, where that can be seen; undefined otherwise (urn:uuid:, identifiers, other servers' URLs). */
function targetType(reference: Loose, frame: Frame): string | undefined {
  const text = reference.reference
  if (typeof text !== 'string') return undefined
  if (text.startsWith('#')) return containedType(text.slice(1), frame)
  if (text.startsWith('urn:')) return bundledType(text, frame)
  // Conditional references (Patient?identifier=...) and Type/id/_history/version, relative or absolute.
  const path = text.split('?')[0]!.replace(/\/_history\/[^/]*$/, '')
  const parts = path.split('/')
  const named = text.includes('?') ? parts.at(-1) : parts.at(-2)
  return named !== undefined && isResourceType(named) ? named : undefined
}

function containedType(id: string, frame: Frame): string | undefined {
  return id === '' ? frame.root.resourceType : typeIn(frame.names.containedIn(frame.root, id))
}

/** Only types that FHIR has: what is told of a reference must not repeat a stranger's text. */
function typeIn(resource: Loose | undefined): string | undefined {
  const type = resource?.resourceType
  return typeof type === 'string' && isResourceType(type) ? type : undefined
}

function bundledType(url: string, frame: Frame): string | undefined {
  return frame.bundle === undefined ? undefined : typeIn(frame.names.entryOf(frame.bundle, url))
}
