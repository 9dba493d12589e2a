/**
 * What an alert says when its limits are not those that its program's author wrote the sentence for: "at or above 180/120" must
 * not be said of a limit of 160/100.
 */
import { conditionInWords, type ProgramRule, type RuleBody } from '@careloop/rules'

/** @param whose how the limit is called: "Limit", "Own limit" */
export function inOwnWords<R extends ProgramRule>(rule: R, body: RuleBody, whose: string): R {
  const limit = `${whose}: ${conditionInWords(body)}`
  const value = `${rule.value} ${rule.unit}`.trim()
  // The title of a silence names its span.
  const said =
    body.kind === 'absence' ? 'Silent for {for}, last heard: {last}' : `${rule.title}: ${value} since {since}`
  return { ...rule, body, sentence: `${said}. ${limit}` }
}
