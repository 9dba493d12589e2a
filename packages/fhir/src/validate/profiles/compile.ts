/** A profile laid out for checking: the names of its rules and the spellings of its choices, worked out once. */
import { type ElementUse, usesOf } from '../../definitions/index.ts'
import type { Elements, Node, Pattern, Profile, Slice } from './profile.ts'

export interface CompiledElement {
  /** `value` for the choice `value[x]`. */
  readonly name: string
  /** `bp.component`. */
  readonly rule: string
  readonly min: number
  readonly max: number
  /** One for each spelling: a choice has many. */
  readonly uses: readonly CompiledUse[]
}

export interface CompiledUse {
  readonly spelling: string
  /** `_valueString`: what is said of a value that may be missing. */
  readonly sibling: string
  readonly node: CompiledNode
  readonly slices: readonly CompiledSlice[]
}

export interface CompiledSlice {
  readonly match: Pattern
  readonly except: Pattern | undefined
  readonly min: number
  readonly max: number
  readonly node: CompiledNode
}

/** What is asked of one value. */
export interface CompiledNode {
  readonly source: Node
  readonly rule: string
  readonly isOfWrongType: boolean
  readonly targets: ReadonlySet<string> | undefined
  readonly elements: readonly CompiledElement[]
}

const known = new WeakMap<Profile, readonly CompiledElement[]>()

/** The elements of a profile. Throws when it names an element that its type does not have: that is a bug of ours. */
export function compiled(profile: Profile): readonly CompiledElement[] {
  const found = known.get(profile)
  if (found !== undefined) return found
  const made = compileElements(profile.elements, profile.type, profile.id)
  known.set(profile, made)
  return made
}

function compileElements(elements: Elements, content: string, rule: string): readonly CompiledElement[] {
  return Object.entries(elements).map(([name, node]) => {
    const below = `${rule}.${name}`
    return {
      name: name.replace('[x]', ''),
      rule: below,
      min: node.min ?? 0,
      max: node.max ?? Number.POSITIVE_INFINITY,
      uses: usesNamed(content, name).map((use) => compileUse(node, use, below)),
    }
  })
}

function compileUse(node: Node, use: ElementUse, rule: string): CompiledUse {
  return {
    spelling: use.spelling,
    sibling: `_${use.spelling}`,
    node: compileNode(node, use, rule),
    slices: Object.entries(node.slices ?? {}).map(([name, slice]) => compileSlice(slice, use, `${rule}:${name}`)),
  }
}

function compileSlice(slice: Slice, use: ElementUse, rule: string): CompiledSlice {
  return {
    match: slice.match,
    except: slice.except,
    min: slice.min ?? 0,
    max: slice.max ?? Number.POSITIVE_INFINITY,
    node: compileNode(slice, use, rule),
  }
}

function compileNode(source: Node, { type }: ElementUse, rule: string): CompiledNode {
  const hasElements = source.elements !== undefined && type.content !== undefined
  return {
    source,
    rule,
    isOfWrongType: source.types !== undefined && !source.types.includes(type.code),
    targets: source.targets === undefined ? undefined : new Set(source.targets),
    elements: hasElements ? compileElements(source.elements, type.content, rule) : [],
  }
}

/** The spellings that a name in a profile stands for. */
function usesNamed(content: string, name: string): readonly ElementUse[] {
  const uses = [...usesOf(content).values()]
  const found = name.endsWith('[x]')
    ? uses.filter((use) => use.element.isChoice && `${use.element.name}[x]` === name)
    : uses.filter((use) => use.spelling === name)
  if (found.length === 0) throw new Error(`A profile names ${content}.${name}, which FHIR R4 does not have.`)
  return found
}
