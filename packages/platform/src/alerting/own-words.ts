/**
 * What an alert says when its limits are not those that its program's author wrote the sentence for: "at or above 180/120" must
 * not be said of a limit of 160/100.
 */
import { conditionInWords, type ProgramRule, type RuleBody, type ThresholdRule } from '@careloop/rules'

/** @param whose how the limit is called: "Limit", "Own limit" */
export function inOwnWords<R extends ProgramRule>(rule: R, body: RuleBody, whose: string): R {
  const isRepeated = body.kind === 'threshold' && body.confirm !== undefined
  const limit = `${whose}: ${conditionInWords(isRepeated ? withoutRepeat(body) : body)}`
  const value = `${rule.value} ${rule.unit}`.trim()
  // The title of a silence names its span.
  const said =
    body.kind === 'absence'
      ? 'Silent for {for}, last heard: {last}'
      : `${rule.title}: ${value} since {since}${isRepeated ? ', {confirmed}' : ''}`
  return { ...rule, body, sentence: `${said}. ${limit}` }
}

/** How it was repeated the sentence says as it was, not as it may be. */
function withoutRepeat({ confirm: _, ...body }: ThresholdRule): RuleBody {
  return body
}
