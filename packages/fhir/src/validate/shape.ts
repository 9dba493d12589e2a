/** What the definitions say of a type, laid out for checking: made once for each type, when the first value of it comes. */
import { type ElementRule, type ElementUse, elementsOf, typeOf, usesOf } from '../definitions/index.ts'
import { type BindingCheck, bindingCheck } from './bindings.ts'
import { extensionOrValue, type Invariant } from './invariant.ts'
import { invariantsOf } from './invariants/index.ts'
import { type PrimitiveCheck, primitiveChecks } from './primitives.ts'
import { readableReference, targetsAt } from './references.ts'
import { quantityInvariants, simpleQuantity } from './units.ts'

/** A type, or a part of one, with its elements by the names that JSON gives them. */
export interface Shape {
  readonly content: string
  readonly isResource: boolean
  readonly fields: ReadonlyMap<string, Field>
  readonly required: readonly Required[]
  readonly choices: number
  readonly invariants: readonly Invariant[]
}

export interface Field {
  /** As JSON spells it: `valueQuantity`. */
  readonly name: string
  readonly isList: boolean
  readonly max: number
  /** `id` and `extension` of a primitive: the `_status` beside `status`. */
  readonly isSibling: boolean
  /** Undefined for complex types. */
  readonly primitive: PrimitiveCheck | undefined
  readonly type: string
  /** What `shapeOf` is asked for the value's own elements; undefined for primitives and resources. */
  readonly content: string | undefined
  readonly holdsResource: boolean
  readonly binding: BindingCheck | undefined
  readonly targets: ReadonlySet<string> | undefined
  readonly invariants: readonly Invariant[]
  /** Number of the choice that it is a spelling of, or -1. */
  readonly choice: number
}

export interface Required {
  /** `value[x]`. */
  readonly label: string
  /** Names in JSON, `_name` included for primitives: one must be there. */
  readonly names: readonly string[]
}

const shapes = new Map<string, Shape>()

/** The shape of a type (`Observation`, `Quantity`) or part (`Observation.component`); undefined for names FHIR R4 does not have. */
export function shapeOf(content: string): Shape | undefined {
  const known = shapes.get(content)
  if (known !== undefined) return known
  if (elementsOf(content).length === 0) return undefined
  const made = makeShape(content)
  shapes.set(content, made)
  return made
}

function makeShape(content: string): Shape {
  const type = typeOf(content)
  const elements = elementsOf(content)
  const choices = elements.filter((element) => element.isChoice)
  const fields = new Map<string, Field>()
  for (const use of usesOf(content).values()) {
    const choice = choices.indexOf(use.element)
    fields.set(use.spelling, field(use, choice))
    if (isPrimitive(use)) fields.set(`_${use.spelling}`, sibling(use, choice))
  }
  return {
    content,
    isResource: type?.kind === 'resource',
    fields,
    required: elements.filter((element) => element.min > 0).map(required),
    choices: choices.length,
    invariants: [...invariantsOf(type?.rules ?? [], content), ...ownInvariants(content)],
  }
}

/** Rules that the definitions repeat on each element, or that only we have. */
function ownInvariants(content: string): readonly Invariant[] {
  if (content === 'Extension') return [extensionOrValue]
  return content === 'Reference' ? [readableReference] : quantityInvariants(content)
}

function isPrimitive(use: ElementUse): boolean {
  return use.type.content === undefined
}

function field({ element, type, spelling }: ElementUse, choice: number): Field {
  const isPrimitive = type.content === undefined
  const holdsResource = type.code === 'Resource'
  const invariants = invariantsOf(element.rules, element.path)
  return {
    name: spelling,
    isList: element.max > 1,
    max: element.max,
    isSibling: false,
    primitive: isPrimitive ? (primitiveChecks[type.code] ?? primitiveChecks.string) : undefined,
    type: type.code,
    content: isPrimitive || holdsResource ? undefined : type.content,
    holdsResource,
    binding: bindingCheck(element.valueSet, type.code),
    targets: type.code === 'Reference' ? targetsAt(element.path, type.targets) : undefined,
    invariants: element.isSimple ? [...invariants, simpleQuantity] : invariants,
    choice,
  }
}

function sibling({ element, spelling }: ElementUse, choice: number): Field {
  return {
    name: `_${spelling}`,
    isList: element.max > 1,
    max: element.max,
    isSibling: true,
    primitive: undefined,
    type: 'Element',
    content: 'Element',
    holdsResource: false,
    binding: undefined,
    targets: undefined,
    invariants: [],
    choice,
  }
}

function required(element: ElementRule): Required {
  const names = element.types.flatMap((type) => {
    const spelling = element.isChoice
      ? element.name + type.code.charAt(0).toUpperCase() + type.code.slice(1)
      : element.name
    return type.content === undefined ? [spelling, `_${spelling}`] : [spelling]
  })
  return { label: element.isChoice ? `${element.name}[x]` : element.name, names }
}
