import { type Loose, list, loose } from '../invariant.ts'
import { checkTarget } from '../references.ts'
import type { Frame, Run } from '../run.ts'
import { type CompiledElement, type CompiledNode, type CompiledSlice, type CompiledUse, compiled } from './compile.ts'
import { matches, type Node, type Profile } from './profile.ts'

/** Checks a resource against one profile, not its bases. Structure was checked before: what is broken there is passed over. */
export function checkProfile(profile: Profile, frame: Frame, run: Run): void {
  const checker = new Checker(run, frame)
  checker.rules(profile, frame.resource)
  checker.elements(compiled(profile), loose(frame.resource))
}

class Checker {
  private readonly run: Run
  private readonly frame: Frame

  constructor(run: Run, frame: Frame) {
    this.run = run
    this.frame = frame
  }

  rules(node: Pick<Node, 'rules'>, value: unknown): void {
    if (node.rules === undefined) return
    for (const { key, severity, human, holds } of node.rules) {
      if (!holds(value, this.frame)) this.run.add(severity, 'invariant', key, human)
    }
  }

  elements(elements: readonly CompiledElement[], owner: Loose): void {
    for (const element of elements) {
      let count = 0
      for (const use of element.uses) {
        const value = owner[use.spelling]
        if (value !== undefined) count += this.use(value, use)
        else if (owner[use.sibling] !== undefined) count += 1
      }
      this.count(count, element)
      if (count === 0) this.missing(element)
    }
  }

  /** How many values there are. */
  private use(value: unknown, use: CompiledUse): number {
    const items = list(value)
    this.run.enter(use.spelling)
    for (let index = 0; index < items.length; index++) this.item(items, index, Array.isArray(value), use.node)
    for (const slice of use.slices) this.slice(items, Array.isArray(value), slice)
    this.run.leave()
    return items.length
  }

  private item(items: readonly unknown[], index: number, isList: boolean, node: CompiledNode): void {
    if (isList) this.run.enter(index)
    this.value(items[index], node)
    if (isList) this.run.leave()
  }

  private slice(items: readonly unknown[], isList: boolean, slice: CompiledSlice): void {
    let count = 0
    for (let index = 0; index < items.length; index++) {
      if (!matches(items[index], slice.match)) continue
      if (slice.except !== undefined && matches(items[index], slice.except)) continue
      count += 1
      this.item(items, index, isList, slice.node)
    }
    this.sliceCount(count, slice)
  }

  /** A list that is not there at all has no item of any slice. */
  private missing({ uses, name }: CompiledElement): void {
    this.run.enter(name)
    for (const slice of uses[0]!.slices) this.sliceCount(0, slice)
    this.run.leave()
  }

  private count(count: number, { min, max, name, rule }: CompiledElement): void {
    if (count < min) {
      const times = min === 1 ? '' : ` ${min} times`
      this.run.error('required', rule, `The profile needs this element${times}: send it.`, name)
    } else if (count > max) {
      const text =
        max === 0
          ? 'The profile does not allow this element: leave it out.'
          : `The profile allows at most ${max} of these: send no more.`
      this.run.error('structure', rule, text, name)
    }
  }

  private sliceCount(count: number, { min, max, node }: CompiledSlice): void {
    if (count < min) {
      this.run.error('required', node.rule, 'The profile needs an item of this kind in the list: send it.')
    } else if (count > max) {
      this.run.error('structure', node.rule, `The profile allows at most ${max} items of this kind: send no more.`)
    }
  }

  private value(value: unknown, node: CompiledNode): void {
    const { source, rule } = node
    if (node.isOfWrongType) {
      this.run.error('structure', rule, `The profile takes only ${source.types?.join(', ')} here.`)
    }
    if (source.fixed !== undefined && !isFixed(value, source.fixed)) {
      const values = typeof source.fixed === 'string' ? source.fixed : source.fixed.join(', ')
      this.run.error('value', rule, `The profile takes only this value here: ${values}.`)
    }
    if (source.pattern !== undefined && !matches(value, source.pattern)) {
      this.run.error(
        'value',
        rule,
        'The profile asks for a certain coding or value here, which is missing: see its definition.',
      )
    }
    if (node.targets !== undefined) checkTarget(value, node.targets, this.run, this.frame)
    this.rules(source, value)
    if (node.elements.length > 0) this.elements(node.elements, loose(value))
  }
}

function isFixed(value: unknown, fixed: string | readonly string[]): boolean {
  return typeof fixed === 'string' ? value === fixed : fixed.includes(value as string)
}
