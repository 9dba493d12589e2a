/** Rules of which we have no closure, evaluated by the FHIRPath library; each expression is parsed once. */
import { createRequire } from 'node:module'
import type { Frame } from '../run.ts'

type Evaluate = (value: unknown, variables: Record<string, unknown>) => unknown
interface Fhirpath {
  compile(path: string | { base: string; expression: string }, model: unknown): Evaluate
}

let library: Fhirpath | undefined
let model: unknown
const compiled = new Map<string, Evaluate>()

/**
 * True unless the expression says `false`: no answer, or a function that the library does not have, breaks nothing.
 * `base` is the path of the element in the definitions: `Questionnaire.item`.
 */
export function holdsByFhirpath(base: string, expression: string, value: unknown, frame: Frame): boolean {
  const variables = { resource: frame.resource, rootResource: frame.root, ucum: 'http://unitsofmeasure.org' }
  try {
    const result = evaluator(base, expression)(value, variables)
    return !(Array.isArray(result) && result.length === 1 && result[0] === false)
  } catch {
    // A resource that is broken elsewhere can make an expression fail (`'x' > 3`): that fault is told where it is.
    return true
  }
}

function evaluator(base: string, expression: string): Evaluate {
  const key = `${base}\n${expression}`
  const known = compiled.get(key)
  if (known !== undefined) return known
  const require = createRequire(import.meta.url)
  library ??= require('fhirpath') as Fhirpath
  model ??= require('fhirpath/fhir-context/r4') as unknown
  // trace() would write values of the resource to the console.
  const quiet = expression.replace(/\.trace\('[^']*'(?:, *[\w.]+)?\)/g, '')
  const made = library.compile({ base, expression: quiet }, model)
  compiled.set(key, made)
  return made
}
