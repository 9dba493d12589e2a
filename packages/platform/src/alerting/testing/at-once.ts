/** For tests that are about alerts, not about repeats: the first breach of a rule that asks for a repeat raises by itself. */
import type { Program } from '@careloop/rules'

export const atOnce = (program: Program): Program => ({
  ...program,
  rules: program.rules.map((rule) => {
    if (rule.body.kind !== 'threshold' || rule.body.confirm === undefined) return rule
    const { confirm: _, ...body } = rule.body
    return { ...rule, body, sentence: rule.sentence.replace(', {confirmed}', '') }
  }),
})
