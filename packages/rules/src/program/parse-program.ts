/** YAML to a program, with every error pointing to its field and line. Unknown fields are errors: a typo must not disarm a rule. */
import { Priority, Role, SubjectKind } from '@careloop/contract'
import { LineCounter, parseDocument } from 'yaml'
import { z } from 'zod'
import { bodyFields, bodyOf, Duration, type Problem } from './body-schema.ts'
import { programFailure } from './errors.ts'
import type { Program, ProgramRule } from './program.ts'
import { placeholderProblem } from './sentence.ts'

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

const Words = z.string().trim().min(1).max(2000)
const Code = z.string().regex(/^[a-z0-9][a-z0-9-]{0,63}$/, 'Use lower-case letters, digits and hyphens, at most 64.')

const RuleSchema = z
  .strictObject({
    rule: Code,
    title: Words,
    priority: Priority,
    nature: z.enum(['physiological', 'environmental', 'technical']),
    why: Words,
    ...bodyFields,
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
    const problem: Problem = (path, message) => context.addIssue({ code: 'custom', message, path: [...path] })
    const body = bodyOf(raw, problem)
    if (body === null) return z.NEVER
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
    label: z.literal('part2', { error: 'The only label is part2 (42 CFR Part 2). Take it out otherwise.' }).optional(),
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
  .transform(
    ({ program: code, subject: subjectKind, label, ...rest }): Program => ({
      ...{ code, subjectKind, ...rest },
      ...(label === undefined ? {} : { label }),
    }),
  )
