/** YAML to a program, with every error pointing to its field and line. Unknown fields are errors: a typo must not disarm a rule. */
import { Priority, Role, SubjectKind } from '@careloop/contract'
import { LineCounter, parseDocument } from 'yaml'
import { z } from 'zod'
import { type Condition, opposite, type RuleBody } from '../rule.ts'
import { programFailure } from './errors.ts'
import type { Program, ProgramRule } from './program.ts'
import { placeholderProblem } from './sentence.ts'
import { parseDuration, parseLimit } from './words.ts'

/**
 * @param name how messages call the text, e.g. the file's name
 * @throws Failure `program-invalid`: the first problem's JSON pointer, and all problems with their lines in the message
 */
export function parseProgram(text: string, name: string): Program {
  const lines = new LineCounter()
  const document = parseDocument(text, { lineCounter: lines, uniqueKeys: true })
  const syntax = document.errors[0]
  if (syntax) {
    const { line, col } = lines.linePos(syntax.pos[0])
    throw programFailure('program-invalid', `${name}:${line}:${col} is not YAML. ${syntax.message.split('\n')[0]}`)
  }
  const parsed = ProgramSchema.safeParse(document.toJS())
  if (parsed.success) return parsed.data
  const problems = parsed.error.issues.map((issue) => {
    const path = issue.path as (string | number)[]
    const node = nearest(document, path)
    const position = node?.range ? lines.linePos(node.range[0]) : { line: 1, col: 1 }
    return { pointer: `/${path.join('/')}`, text: `${name}:${position.line}:${position.col} ${issue.message}` }
  })
  throw programFailure('program-invalid', problems.map((problem) => problem.text).join('\n'), {
    pointer: problems[0]!.pointer,
  })
}

function nearest(document: ReturnType<typeof parseDocument>, path: (string | number)[]) {
  for (let depth = path.length; depth >= 0; depth--) {
    const node = document.getIn(path.slice(0, depth), true) as { range?: [number, number, number] } | undefined
    if (node?.range) return node
  }
  return null
}

// ---------------------------------------------------------------- schema

/** Text that `parse` turns into something, or says what is wrong with it. */
const worded = <T>(parse: (text: string) => T | string) =>
  z.string().transform((text, context): T => {
    const value = parse(text)
    if (typeof value !== 'string') return value as T
    context.addIssue({ code: 'custom', message: value })
    return z.NEVER
  })

const Words = z.string().trim().min(1).max(2000)
const Code = z.string().regex(/^[a-z0-9][a-z0-9-]{0,63}$/, 'Use lower-case letters, digits and hyphens, at most 64.')
const Duration = worded<number>(parseDuration)
const Row = z.int().min(1).max(32)

const RuleSchema = z
  .strictObject({
    rule: Code,
    title: Words,
    priority: Priority,
    nature: z.enum(['physiological', 'environmental', 'technical']),
    why: Words,
    when: z.unknown(),
    match: z.enum(['measurement', 'latest']).default('measurement'),
    per: z.enum(['subject', 'device']).default('subject'),
    hold: z
      .strictObject({ for: Duration.optional(), in_a_row: Row.optional(), within: Duration.optional() })
      .optional(),
    reading_valid_for: Duration.optional(),
    clear: z.strictObject({ when: z.unknown(), for: Duration.optional(), in_a_row: Row.optional() }).optional(),
    owner: Role.optional(),
    backup: Role.optional(),
    action: Words.optional(),
    limit: Duration.optional(),
    checklist: z.array(Words).max(20).default([]),
    value: Words,
    unit: z.string().max(32),
    sentence: Words,
  })
  .transform((raw, context): ProgramRule => {
    const problem = (path: (string | number)[], message: string) =>
      context.addIssue({ code: 'custom', message, path: [...path] })
    const when = conditionOf(raw.when, ['when'], problem)
    const clear = raw.clear ? conditionOf(raw.clear.when, ['clear', 'when'], problem) : when && opposite(when)
    if (when === null || clear === null) return z.NEVER
    const hold = { forMs: raw.hold?.for ?? 0, inARow: raw.hold?.in_a_row ?? 1, withinMs: raw.hold?.within ?? null }
    if ((hold.forMs > 0 || raw.match === 'latest') && raw.reading_valid_for === undefined)
      problem(['reading_valid_for'], 'Say how long one reading speaks, e.g. 30 min: a longer gap is no data.')
    if (raw.hold?.within !== undefined && hold.inARow < 2)
      problem(['hold', 'within'], 'Only measurements in a row lie within a span: add in_a_row.')
    const overlap = overlapOf(when, clear)
    if (overlap !== null) problem(['clear', 'when'], overlap)
    const body: RuleBody = {
      kind: 'threshold',
      when,
      match: raw.match,
      hold,
      validForMs: raw.reading_valid_for ?? 0,
      clear: { when: clear, forMs: raw.clear?.for ?? 0, inARow: raw.clear?.in_a_row ?? 1 },
      per: raw.per,
    }
    for (const field of ['value', 'sentence'] as const) {
      const wrong = placeholderProblem(raw[field], body)
      if (wrong !== null) problem([field], wrong)
    }
    const {
      rule: code,
      title,
      priority,
      nature,
      why,
      owner,
      backup,
      action,
      limit,
      checklist,
      value,
      unit,
      sentence,
    } = raw
    return {
      ...{ code, title, priority, nature, why, body, checklist, value, unit, sentence },
      ...(owner === undefined ? {} : { owner }),
      ...(backup === undefined ? {} : { backup }),
      ...(action === undefined ? {} : { action }),
      ...(limit === undefined ? {} : { limitMs: limit }),
    }
  })

const ProgramSchema = z
  .strictObject({
    program: Code,
    title: Words,
    subject: SubjectKind,
    use: Words,
    notice: Words,
    rules: z.array(RuleSchema).min(1).max(100),
  })
  .superRefine((program, context) => {
    const codes = program.rules.map((rule) => rule.code)
    codes.forEach((code, index) => {
      if (codes.indexOf(code) !== index)
        context.addIssue({ code: 'custom', message: `Two rules are called ${code}.`, path: ['rules', index, 'rule'] })
    })
  })
  .transform(({ program: code, subject: subjectKind, ...rest }): Program => ({ code, subjectKind, ...rest }))

/** A condition is one limit, or `any:`/`all:` of several. Parsed by hand, so that the message is about the limit at fault. */
function conditionOf(
  raw: unknown,
  path: (string | number)[],
  problem: (path: (string | number)[], message: string) => void,
): Condition | null {
  if (typeof raw === 'string') return limitsOf([raw], 'any', () => path, problem)
  const keys = raw !== null && typeof raw === 'object' ? Object.keys(raw) : []
  const mode = keys[0]
  const limits = mode === undefined ? undefined : (raw as Record<string, unknown>)[mode]
  if (keys.length !== 1 || (mode !== 'any' && mode !== 'all') || !Array.isArray(limits) || limits.length === 0) {
    problem(path, 'Write one limit, or any: or all: with a list of limits.')
    return null
  }
  return limitsOf(limits, mode, (index) => [...path, mode, index], problem)
}

function limitsOf(
  raw: readonly unknown[],
  mode: Condition['mode'],
  pathOf: (index: number) => (string | number)[],
  problem: (path: (string | number)[], message: string) => void,
): Condition | null {
  const limits = raw.map((text, index) => {
    const limit = typeof text === 'string' ? parseLimit(text) : 'Write a limit, e.g. systolic >= 180 mm[Hg].'
    if (typeof limit !== 'string') return limit
    problem(pathOf(index), limit)
    return null
  })
  return limits.every((limit) => limit !== null) ? { mode, limits } : null
}

/** A value that both raises and clears would make the alert flap. */
function overlapOf(when: Condition, clear: Condition): string | null {
  for (const raise of when.limits) {
    for (const end of clear.limits) {
      if (end.signal !== raise.signal) continue
      const raiseUp = raise.is.startsWith('>')
      if (raiseUp === end.is.startsWith('>')) continue
      const touches = raise.is.endsWith('=') && end.is.endsWith('=') && raise.limit === end.limit
      if (touches || (raiseUp ? end.limit > raise.limit : end.limit < raise.limit))
        return `${raise.signal} would raise and clear at the same value. Clear on the safe side of ${raise.limit}.`
    }
  }
  return null
}
