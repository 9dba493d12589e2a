import type { Issue } from '../issue.ts'
import type { Resource } from '../resource.ts'
import type { Names } from './names.ts'

/** Issues that one validation tells at most: the first ones say enough, and a hostile resource has no end of them. */
const ISSUES_MAX = 200
/** Levels of elements that are looked into. Extensions and Questionnaire items nest freely; a stack does not. */
export const DEPTH_MAX = 100

/** The resource that an element stands in; `root` holds what `#` references name, `bundle` what full URLs name. */
export interface Frame {
  readonly resource: Resource
  /** The resource that is not contained in another: `resource` itself, unless that is contained. */
  readonly root: Resource
  readonly bundle: Resource | undefined
  /** What names inside mean, for this validation. */
  readonly names: Names
}

/** One validation: where it stands, and what it found. A path is text only when something is wrong there. */
export class Run {
  readonly issues: Issue[] = []
  /** Names of elements, each followed by its index when it is one of a list. */
  private readonly path: (string | number)[]

  constructor(root: string) {
    this.path = [root]
  }

  get depth(): number {
    return this.path.length
  }

  enter(step: string | number): void {
    this.path.push(step)
  }

  leave(): void {
    this.path.pop()
  }

  /** FHIRPath of the element at hand, or of one below it. */
  at(below = ''): string {
    let text = ''
    for (const step of this.path) text += typeof step === 'number' ? `[${step}]` : text === '' ? step : `.${step}`
    return below === '' ? text : `${text}.${below}`
  }

  /** `diagnostics` says what is wrong and what to do, without a value of the resource. */
  add(severity: Issue['severity'], code: string, rule: string, diagnostics: string, below = ''): void {
    if (this.issues.length >= ISSUES_MAX) return
    const at = this.at(below)
    // A profile asks again what its base asks.
    if (this.issues.some((issue) => issue.rule === rule && issue.expression?.[0] === at)) return
    this.issues.push({ severity, code, rule, diagnostics, expression: [at] })
  }

  error(code: string, rule: string, diagnostics: string, below = ''): void {
    this.add('error', code, rule, diagnostics, below)
  }
}
