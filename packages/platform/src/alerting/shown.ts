/** Alerts, rules and programs as HTTP bodies. */
import {
  type AlertBody,
  type DrawnThreshold,
  type ProgramRef,
  type RuleRef,
  type StaffRef,
  type SubjectRef,
  shownUnit,
  signal,
} from '@careloop/contract'
import { conditionInWords, type Limit, limitsOf, type OwnedRule, signalsOf } from '@careloop/rules'
import type { NamedSubject } from '../subjects/index.ts'
import type { Alert } from './alerts.ts'

/** Staff as colleagues see them. Identity's `members` is one. */
export type StaffNames = (tenant: string) => Promise<readonly { readonly id: string; readonly displayName: string }[]>

/** A person who left is still named by id, so that what they did is not nobody's. */
export function staffRef(names: ReadonlyMap<string, string>, id: string): StaffRef {
  return { id, name: names.get(id) ?? id }
}

/** Whoever did something, by the audit trail's word for them: also a service, or somebody at the server's console. */
export function actorRef(names: ReadonlyMap<string, string>, actor: string): StaffRef {
  if (actor.startsWith('staff:')) return staffRef(names, actor.slice('staff:'.length))
  return { id: actor, name: actor === 'cli' ? 'Administrator at the server' : actor.replace(/:.*/, '') }
}

export const staffNamesOf = async (staff: StaffNames, tenant: string): Promise<ReadonlyMap<string, string>> =>
  new Map((await staff(tenant)).map((member) => [member.id, member.displayName]))

export const subjectRef = (named: NamedSubject): SubjectRef => ({
  id: named.id,
  name: named.display,
  kind: named.kind,
})

export const programRef = ({ code, title }: { code: string; title: string }): ProgramRef => ({ code, title })

export const ruleRef = (id: string, version: number, rule: OwnedRule): RuleRef => ({
  ...{ id, version, code: rule.code, title: rule.title, condition: conditionInWords(rule.body) },
  ...{ ownerRole: rule.owner, backupRole: rule.backup, action: rule.action, limitMs: rule.limitMs },
})

/** What the alert says now. Whose the readings are is not said: that person is no concern of who reads this. */
export function shownSentence(alert: Alert, { kind }: Pick<NamedSubject, 'kind'>): string {
  const { sentence } = alert.summary
  if (!alert.wrongSubject) return sentence
  const [wrong, elsewhere] = kind === 'patient' ? ['Wrong person', 'to another person'] : ['Wrong place', 'elsewhere']
  if (alert.condition === 'active')
    return `${wrong} in part: a correction moved readings of this alert ${elsewhere}, and what remains still meets its condition. It said: ${sentence}`
  return `${wrong}: a correction moved the readings of this alert ${elsewhere}. Undo what was done because of it. It said: ${sentence}`
}

export const alertBody = (alert: Alert, subject: NamedSubject): AlertBody => ({
  ...{ id: alert.id, subject: subjectRef(subject), priority: alert.priority, nature: alert.nature },
  ...{ condition: alert.condition, handling: alert.handling, historic: alert.historic },
  ...(alert.wrongSubject ? { wrongSubject: true } : {}),
  ...{ sentence: shownSentence(alert, subject), raisedAt: alert.raisedAt },
  ...(alert.clearedAt === null ? {} : { clearedAt: alert.clearedAt }),
  ...(alert.closedAt === null ? {} : { closedAt: alert.closedAt }),
})

export const ruleInWords = (rule: OwnedRule): string => conditionInWords(rule.body)

/** Signals that a rule reads; none for one that waits for a connection. */
export const signalsOfRule = (rule: OwnedRule): readonly string[] => signalsOf(rule.body)

/** Limits to draw, each with its place in the rule; a rule of silence has none. */
export function thresholdsOf({ body }: Pick<OwnedRule, 'body'>): DrawnThreshold[] {
  const { when, clear } = limitsOf(body)
  // A clear limit at the same value as the raise limit would draw the same line twice.
  const isDrawn = (limit: Limit) => when.some((other) => other.signal === limit.signal && other.limit === limit.limit)
  return [
    ...when.map((limit, index) => drawn(limit, 'when', index)),
    ...clear.flatMap((limit, index) => (isDrawn(limit) ? [] : [drawn(limit, 'clear', index)])),
  ]
}

function drawn({ signal: code, is, limit }: Limit, part: 'when' | 'clear', index: number): DrawnThreshold {
  const known = signal(code)
  const ucum = known?.unit ?? ''
  return {
    ...{ signal: code, label: known?.label ?? code, role: part === 'when' ? 'raise' : 'clear', comparator: is },
    ...{ limit, unit: shownUnit(ucum), ucum, part, index },
  }
}
