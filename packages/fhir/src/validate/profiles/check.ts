import { type ElementUse, elementsOf, usesOf } from '../../definitions/index.ts'
import { type Loose, list, loose } from '../invariant.ts'
import { checkTarget } from '../references.ts'
import type { Frame, Run } from '../run.ts'
import { type Elements, matches, type Node, type Profile, type Slice } from './profile.ts'

/** Checks a resource against one profile, not its bases. Structure was checked before: what is broken there is passed over. */
export function checkProfile(profile: Profile, frame: Frame, run: Run): void {
  const checker = new Checker(run, frame)
  checker.rules(profile, frame.resource)
  checker.elements(profile.elements, loose(frame.resource), profile.type, profile.id)
}

class Checker {
  private readonly run: Run
  private readonly frame: Frame

  constructor(run: Run, frame: Frame) {
    this.run = run
    this.frame = frame
  }

  rules(node: Pick<Node, 'rules'>, value: unknown): void {
    for (const { key, severity, human, holds } of node.rules ?? []) {
      if (!holds(value, this.frame)) this.run.add(severity, 'invariant', key, human)
    }
  }

  /** `rule` is the name of what holds these elements: `bp.component:SystolicBP`. */
  elements(elements: Elements, owner: Loose, content: string, rule: string): void {
    for (const name in elements) {
      const node = elements[name]!
      const uses = usesNamed(content, name)
      const below = `${rule}.${name}`
      let count = 0
      for (const use of uses) {
        const value = owner[use.spelling]
        if (value === undefined) {
          if (owner[`_${use.spelling}`] !== undefined) count += 1
          continue
        }
        const items = list(value)
        count += items.length
        this.values(items, Array.isArray(value), node, use, below)
      }
      this.count(count, node, name.replace('[x]', ''), below)
      if (count === 0 && node.slices !== undefined) this.missing(node.slices, name, below)
    }
  }

  /** A list that is not there at all has no item of any slice. */
  private missing(slices: Readonly<Record<string, Slice>>, name: string, rule: string): void {
    this.run.enter(name)
    for (const slice in slices) this.sliceCount(0, slices[slice]!, `${rule}:${slice}`)
    this.run.leave()
  }

  private count(count: number, node: Node, name: string, rule: string): void {
    if (count < (node.min ?? 0)) {
      const times = node.min === 1 ? '' : ` ${node.min} times`
      this.problem(node, 'required', rule, `The profile needs this element${times}: send it.`, name)
    } else if (count > (node.max ?? Number.POSITIVE_INFINITY)) {
      const text =
        node.max === 0
          ? 'The profile does not allow this element: leave it out.'
          : `The profile allows at most ${node.max} of these.`
      this.problem(node, 'structure', rule, text, name)
    }
  }

  private values(items: readonly unknown[], isList: boolean, node: Node, use: ElementUse, rule: string): void {
    this.run.enter(use.spelling)
    for (let index = 0; index < items.length; index++) {
      if (isList) this.run.enter(index)
      this.value(items[index], node, use, rule)
      if (isList) this.run.leave()
    }
    if (node.slices !== undefined) this.slices(items, isList, node, use, rule)
    this.run.leave()
  }

  private slices(items: readonly unknown[], isList: boolean, node: Node, use: ElementUse, rule: string): void {
    for (const name in node.slices) {
      const slice = node.slices[name]!
      const sliceRule = `${rule}:${name}`
      let count = 0
      for (let index = 0; index < items.length; index++) {
        if (!isOf(slice, items[index])) continue
        count += 1
        if (isList) this.run.enter(index)
        this.value(items[index], slice, use, sliceRule)
        if (isList) this.run.leave()
      }
      this.sliceCount(count, slice, sliceRule)
    }
  }

  private sliceCount(count: number, slice: Node, rule: string): void {
    if (count < (slice.min ?? 0)) {
      this.problem(slice, 'required', rule, 'The profile needs an item of this kind in the list: send it.')
    } else if (count > (slice.max ?? Number.POSITIVE_INFINITY)) {
      this.problem(slice, 'structure', rule, `The profile allows at most ${slice.max} items of this kind.`)
    }
  }

  private value(value: unknown, node: Node, use: ElementUse, rule: string): void {
    if (node.types !== undefined && !node.types.includes(use.type.code)) {
      this.problem(node, 'structure', rule, `The profile takes only ${node.types.join(', ')} here.`)
    }
    if (node.fixed !== undefined && !isFixed(value, node.fixed)) {
      const values = typeof node.fixed === 'string' ? node.fixed : node.fixed.join(', ')
      this.problem(node, 'value', rule, `The profile takes only this value here: ${values}.`)
    }
    if (node.pattern !== undefined && !matches(value, node.pattern)) {
      this.problem(
        node,
        'value',
        rule,
        'The profile asks for a certain coding or value here, which is missing: see its definition.',
      )
    }
    if (node.targets !== undefined) checkTarget(value, setOf(node.targets), this.run, this.frame)
    this.rules(node, value)
    if (node.elements !== undefined && use.type.content !== undefined) {
      this.elements(node.elements, loose(value), use.type.content, rule)
    }
  }

  private problem(node: Node, code: string, rule: string, text: string, below = ''): void {
    this.run.add(node.isAdvice === true ? 'warning' : 'error', code, rule, text, below)
  }
}

const sets = new WeakMap<readonly string[], ReadonlySet<string>>()

function setOf(targets: readonly string[]): ReadonlySet<string> {
  const known = sets.get(targets) ?? new Set(targets)
  sets.set(targets, known)
  return known
}

function isOf(slice: Slice, item: unknown): boolean {
  return matches(item, slice.match) && (slice.except === undefined || !matches(item, slice.except))
}

function isFixed(value: unknown, fixed: string | readonly string[]): boolean {
  return typeof fixed === 'string' ? value === fixed : fixed.includes(value as string)
}

const named = new Map<string, Map<string, readonly ElementUse[]>>()

/** The spellings that a name in a profile stands for. */
function usesNamed(content: string, name: string): readonly ElementUse[] {
  const ofContent = named.get(content) ?? new Map<string, readonly ElementUse[]>()
  const known = ofContent.get(name)
  if (known !== undefined) return known
  const uses = [...usesOf(content).values()]
  const found = name.endsWith('[x]')
    ? uses.filter((use) => use.element.isChoice && `${use.element.name}[x]` === name)
    : uses.filter((use) => use.spelling === name)
  if (found.length === 0)
    throw new Error(`A profile names ${content}.${name}, which is not one of ${elementsOf(content).length} elements.`)
  named.set(content, ofContent.set(name, found))
  return found
}
