/** What an alert says at a glance, sealed under its subject's key: PHI, since it holds values. */
import { type OwnedRule, sentenceOf, shownValue, type Transition } from '@careloop/rules'
import type { DataKey } from '../engine/index.ts'

export interface AlertSummary {
  readonly sentence: string
  /** As people read it: `192/124`. Empty for a technical alert. */
  readonly value: string
  readonly unit: string
  readonly measuredAt: number
}

const summaryAad = (tenant: string, alert: string) => `alert-summary:${tenant}:${alert}`
const detailAad = (tenant: string, alert: string) => `alert-evidence:${tenant}:${alert}`

export function summaryOf(rule: OwnedRule, transition: Transition, timeZone: string): AlertSummary {
  if (transition.what === 'not-judged')
    return {
      sentence:
        'A correction of who wore a device gave this subject readings from so long ago that no rule can judge them any more. Look at the chart.',
      ...{ value: '', unit: '', measuredAt: transition.at },
    }
  if (transition.what === 'rule-failed')
    return {
      sentence: `The rule "${rule.title}" failed and rests for this subject: its readings are stored and not judged by it. Tell an administrator.`,
      ...{ value: '', unit: '', measuredAt: transition.at },
    }
  if (transition.what === 'state-lost')
    return {
      sentence:
        'What the rules remembered of this subject was damaged, and they began anew: a breach that was not yet told may go untold. Look at the chart, and at what stands open. Tell an administrator.',
      ...{ value: '', unit: '', measuredAt: transition.at },
    }
  return {
    sentence: `${saidAgain(transition)}${sentenceOf(rule, transition, timeZone)}`,
    value: shownValue(rule, transition),
    unit: rule.unit,
    // Of what is absent nothing was measured: the time since when.
    measuredAt: transition.breach!.points.at(-1)?.at ?? transition.breach!.since,
  }
}

function saidAgain({ again }: Transition): string {
  if (again === 'worse') return 'Worse than when it was closed: '
  return again === 'time' ? 'Told again, as was asked when it was closed: ' : ''
}

const sealJson = (key: DataKey, what: unknown, aad: string) => key.seal(Buffer.from(JSON.stringify(what)), aad)
const openJson = <T>(key: DataKey, sealed: Uint8Array, aad: string) => JSON.parse(key.open(sealed, aad).toString()) as T

export const sealSummary = (key: DataKey, tenant: string, alert: string, summary: AlertSummary): Buffer =>
  sealJson(key, summary, summaryAad(tenant, alert))
export const openSummary = (key: DataKey, tenant: string, alert: string, sealed: Uint8Array): AlertSummary =>
  openJson(key, sealed, summaryAad(tenant, alert))

export const sealDetail = (key: DataKey, tenant: string, alert: string, detail: unknown): Buffer =>
  sealJson(key, detail, detailAad(tenant, alert))
export const openDetail = <T>(key: DataKey, tenant: string, alert: string, sealed: Uint8Array): T =>
  openJson<T>(key, sealed, detailAad(tenant, alert))
