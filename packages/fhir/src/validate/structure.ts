import { isResourceType } from '../definitions/index.ts'
import type { Resource } from '../resource.ts'
import { type Invariant, type Loose, loose } from './invariant.ts'
import { Names } from './names.ts'
import { checkTarget } from './references.ts'
import { DEPTH_MAX, type Frame, type Run } from './run.ts'
import { type Field, type Shape, shapeOf } from './shape.ts'

/** Called for each resource whose structure was looked at, nested ones included: profiles are checked there. */
export type AfterResource = (resource: Resource, frame: Frame, run: Run) => void

/** Checks a resource of any type against the definitions of FHIR R4, with everything in it. */
export class Structure {
  private readonly run: Run
  private readonly after: AfterResource

  constructor(run: Run, after: AfterResource) {
    this.run = run
    this.after = after
  }

  /** `container` is the resource that holds this one: its root when contained, its bundle when an entry of one. */
  resource(value: unknown, container?: { readonly frame: Frame; readonly isContained: boolean }): void {
    const type = loose(value).resourceType
    if (typeof type !== 'string') {
      this.run.error('structure', 'resource-type', 'A resource stands here: an object with `resourceType`.')
      return
    }
    const shape = isResourceType(type) ? shapeOf(type) : undefined
    if (shape === undefined) {
      this.run.error(
        'not-supported',
        'resource-type',
        'FHIR R4 has no resource of this type: check the spelling of `resourceType`.',
        'resourceType',
      )
      return
    }
    const frame = frameOf(value as Resource, container)
    this.element(value, shape, frame)
    this.after(frame.resource, frame, this.run)
  }

  private element(value: unknown, shape: Shape, frame: Frame): void {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) {
      this.run.error('structure', 'type', `An object stands here (${shape.content}).`)
      return
    }
    if (this.run.depth > DEPTH_MAX) {
      this.run.error('too-long', 'depth', `Elements nest deeper than ${DEPTH_MAX / 2} levels: send less of them.`)
      return
    }
    this.fields(value as Loose, shape, frame)
    for (const { names, label } of shape.required) {
      if (!names.some((name) => (value as Loose)[name] !== undefined)) {
        this.run.error('required', 'cardinality', `${shape.content} needs ${label}: send it.`, label.replace('[x]', ''))
      }
    }
    this.invariants(shape.invariants, value, frame)
  }

  private fields(value: Loose, shape: Shape, frame: Frame): void {
    let count = 0
    const chosen: string[] = []
    for (const name in value) {
      const field = shape.fields.get(name)
      if (field === undefined) {
        if (name !== 'resourceType' || !shape.isResource) this.unknown(name, shape)
        else count += 1
        continue
      }
      if (name !== 'id') count += 1
      if (field.choice >= 0) this.choose(chosen, field, name)
      this.run.enter(field.isSibling ? name.slice(1) : name)
      if (field.isList) this.list(value, field, frame)
      else this.single(value[name], field, frame, value)
      this.run.leave()
    }
    if (count === 0)
      this.run.error('invariant', 'ele-1', 'An element without a value or elements says nothing: leave it out.')
  }

  private choose(chosen: string[], field: Field, name: string): void {
    const spelling = name.startsWith('_') ? name.slice(1) : name
    const before = chosen[field.choice]
    if (before !== undefined && before !== spelling) {
      this.run.error('structure', 'choice', 'Two spellings of one choice: send the one that holds.', spelling)
    }
    chosen[field.choice] = spelling
  }

  /** A name that is no name may be anything, also something about a person: then it is not repeated. */
  private unknown(name: string, shape: Shape): void {
    const isName = /^_?[A-Za-z][A-Za-z0-9]{0,63}$/.test(name)
    const below = isName ? name : ''
    this.run.error(
      'structure',
      'unknown-element',
      `FHIR R4 has no such element in ${shape.content}: check its spelling, or use an extension.`,
      below,
    )
  }

  private list(owner: Loose, field: Field, frame: Frame): void {
    const items = owner[field.name]
    if (!Array.isArray(items)) {
      this.run.error('structure', 'list', 'This element is a list in JSON: put its value between [ and ].')
      return
    }
    if (items.length === 0) this.run.error('structure', 'empty', 'A list without items says nothing: leave it out.')
    if (items.length > field.max)
      this.run.error('structure', 'cardinality', `At most ${field.max} of these may stand here.`)
    for (let index = 0; index < items.length; index++) {
      this.run.enter(index)
      if (items[index] !== null || !isFilledBeside(owner, field, index)) this.value(items[index], field, frame)
      this.run.leave()
    }
  }

  private single(value: unknown, field: Field, frame: Frame, owner: Loose): void {
    if (Array.isArray(value)) {
      this.run.error('structure', 'list', 'This element is not a list: send its one value without [ and ].')
    } else if (value === null && !field.isSibling && owner[`_${field.name}`] !== undefined) {
      this.run.error('structure', 'null', 'A value that is missing is left out; null stands in lists only.')
    } else {
      this.value(value, field, frame)
    }
  }

  private value(value: unknown, field: Field, frame: Frame): void {
    if (value === null || value === undefined) {
      this.run.error('structure', 'null', 'There is no null in FHIR: leave the element out.')
      return
    }
    if (field.primitive !== undefined) {
      const wanted = field.primitive(value)
      if (wanted !== undefined) {
        this.run.error('value', field.type, `The value is no ${field.type}: send ${wanted}.`)
        return
      }
    } else if (field.holdsResource) {
      this.resource(value, { frame, isContained: field.name === 'contained' })
      return
    } else {
      const shape = shapeOf(field.content!)!
      this.element(value, shape, frame)
      if (field.targets !== undefined) checkTarget(value, field.targets, this.run, frame)
    }
    field.binding?.(value, this.run)
    if (field.invariants.length > 0) this.invariants(field.invariants, value, frame)
  }

  private invariants(invariants: readonly Invariant[], value: unknown, frame: Frame): void {
    for (const { key, severity, human, holds } of invariants) {
      if (!holds(value, frame)) this.run.add(severity, 'invariant', key, human)
    }
  }
}

/** A `null` in a list of primitives stands for a value of which only extensions are known, and the other way round. */
function isFilledBeside(owner: Loose, field: Field, index: number): boolean {
  const other = owner[field.isSibling ? field.name.slice(1) : `_${field.name}`]
  return Array.isArray(other) && other[index] !== undefined && other[index] !== null
}

function frameOf(
  resource: Resource,
  container: { readonly frame: Frame; readonly isContained: boolean } | undefined,
): Frame {
  if (container === undefined) return { resource, root: resource, bundle: undefined, names: new Names() }
  const { frame, isContained } = container
  if (isContained) return { resource, root: frame.root, bundle: frame.bundle, names: frame.names }
  const bundle = frame.resource.resourceType === 'Bundle' ? frame.resource : frame.bundle
  return { resource, root: resource, bundle, names: frame.names }
}
