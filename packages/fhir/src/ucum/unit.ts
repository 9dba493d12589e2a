import { bases, derived, metricBases, offsets, prefixes } from './atoms.ts'
import { libraryUnit } from './library.ts'

/** A unit of UCUM, as a multiple of base units. */
export interface Unit {
  /** Base units with their powers, sorted: `g.m-1.s-2`; `1` for a plain number. The same for all units of one kind. */
  readonly kind: string
  readonly factor: number
  /** Added before `factor` applies: temperatures. Null when its scale cannot be converted by a straight line (pH). */
  readonly offset: number | null
}

type Powers = Map<string, number>

interface Term {
  factor: number
  readonly powers: Powers
}

/** Units asked for, valid or not. What clients send is without end: it is emptied when it is full. */
const known = new Map<string, Unit | null>()
const KNOWN_MAX = 2_000
/** No unit of UCUM in use is longer; a parser should not be fed a novel. */
const LENGTH_MAX = 200

/**
 * A unit by its UCUM code (case sensitive), or null when it is none: `beats/min`, `mmHg`, `bpm`.
 * The first time that a rare unit is asked for it loads the complete UCUM library (about 0.2 s).
 */
export function unitOf(code: string): Unit | null {
  const found = known.get(code)
  if (found !== undefined) return found
  const unit = code.length === 0 || code.length > LENGTH_MAX ? null : (simple(code) ?? libraryUnit(code))
  if (known.size >= KNOWN_MAX) known.clear()
  known.set(code, unit)
  return unit
}

/** Null when it holds an atom that is not in our table or breaks the grammar: the library then decides. */
function simple(code: string): Unit | null {
  const scale = Object.hasOwn(offsets, code) ? offsets[code] : undefined
  if (scale !== undefined) return { kind: 'K', factor: scale.factor, offset: scale.offset }
  const term = new Parser(code).parse()
  return term === null ? null : { kind: kindOf(term.powers), factor: term.factor, offset: 0 }
}

/** `g.m-1.s-2`, without what cancels out. */
export function kindOf(powers: ReadonlyMap<string, number>): string {
  const parts = [...powers].filter(([, power]) => power !== 0).sort(([a], [b]) => (a < b ? -1 : 1))
  return parts.length === 0 ? '1' : parts.map(([base, power]) => (power === 1 ? base : base + power)).join('.')
}

/** UCUM 2.1, 2.2: `term = component (('.' | '/') component)*`, with `/` first allowed, parentheses and {annotations}. */
class Parser {
  private at = 0
  private readonly text: string

  constructor(text: string) {
    this.text = text
  }

  parse(): Term | null {
    const term = this.term()
    return term !== null && this.at === this.text.length ? term : null
  }

  private term(): Term | null {
    const term: Term = { factor: 1, powers: new Map() }
    let sign = this.take('/') ? -1 : 1
    do {
      const part = this.component()
      if (part === null) return null
      multiply(term, part, sign)
      sign = this.text[this.at] === '/' ? -1 : 1
    } while (this.take('.') || this.take('/'))
    return term
  }

  private component(): Term | null {
    if (this.take('(')) {
      const term = this.term()
      return term !== null && this.take(')') ? term : null
    }
    if (this.annotation()) return { factor: 1, powers: new Map() }
    const found = /^(10[*^]|(?:\[[^\]{}\s]+\]|[^\s./(){}[\]0-9+-])+|[0-9]+(?![*^]))([+-]?[0-9]+)?/.exec(
      this.text.slice(this.at),
    )
    if (found === null) return null
    this.at += found[0].length
    const atom = atomOf(found[1]!)
    if (atom === null) return null
    this.annotation()
    return raised(atom, found[2] === undefined ? 1 : Number(found[2]))
  }

  private annotation(): boolean {
    const found = /^\{[!-z|~]*\}/.exec(this.text.slice(this.at))
    if (found === null) return false
    this.at += found[0].length
    return true
  }

  private take(character: string): boolean {
    if (this.text[this.at] !== character) return false
    this.at += 1
    return true
  }
}

function atomOf(name: string): Term | null {
  if (/^[0-9]+$/.test(name)) return { factor: Number(name), powers: new Map() }
  const whole = plainAtom(name)
  if (whole !== null) return whole
  for (const length of [1, 2]) {
    const prefix = name.slice(0, length)
    const rest = name.slice(length)
    if (!Object.hasOwn(prefixes, prefix) || !isMetric(rest)) continue
    const atom = plainAtom(rest)!
    return { factor: atom.factor * prefixes[prefix]!, powers: atom.powers }
  }
  return null
}

function plainAtom(name: string): Term | null {
  if (bases.includes(name)) return { factor: 1, powers: new Map([[name, 1]]) }
  const definition = Object.hasOwn(derived, name) ? derived[name] : undefined
  if (definition === undefined) return null
  const term = new Parser(definition[1]).parse()!
  return { factor: term.factor * definition[0], powers: term.powers }
}

function isMetric(name: string): boolean {
  return metricBases.has(name) || (Object.hasOwn(derived, name) && derived[name]![2])
}

function raised(term: Term, power: number): Term {
  return {
    factor: term.factor ** power,
    powers: new Map([...term.powers].map(([base, own]) => [base, own * power])),
  }
}

function multiply(term: Term, part: Term, sign: number): void {
  term.factor *= part.factor ** sign
  for (const [base, power] of part.powers) term.powers.set(base, (term.powers.get(base) ?? 0) + power * sign)
}
