/** When an alert's condition stood: from the first time to the newest, as its events tell. An alert that came back has several. */
import type { AlertEventBody, AlertSpan } from '@careloop/contract'
import type { TenantTx } from '../engine/index.ts'
import type { Alert } from './alerts.ts'
import { type AlertingTables, toMs } from './schema.ts'

interface SpanEvent {
  readonly what: AlertEventBody['what']
  /** ms since epoch, of what happened, not of when Careloop knew. */
  readonly at: number
}

/** By id of the alert, oldest span first; none is empty: what was raised stood. */
export async function spansOf(tx: TenantTx, alerts: readonly Alert[]): Promise<Map<string, AlertSpan[]>> {
  if (alerts.length === 0) return new Map()
  const rows = await tx
    .tables<AlertingTables>()
    .selectFrom('alert_event')
    .select(['alert_id', 'what', 'at'])
    .where(
      'alert_id',
      'in',
      alerts.map(({ id }) => id),
    )
    .where('what', 'in', ['raised', 'recurred', 'found-late', 'cleared'])
    .orderBy('id')
    .execute()
  const events = Map.groupBy(rows, (row) => row.alert_id)
  const spanned = (alert: Alert) =>
    spansFrom(
      (events.get(alert.id) ?? []).map(({ what, at }) => ({ what, at: toMs(at) })),
      alert,
    )
  return new Map(alerts.map((alert) => [alert.id, spanned(alert)]))
}

/**
 * In the order in which Careloop knew. Of a breach that was found late the end may never come to be known: then it is the moment
 * that was found, never all the time until now.
 */
export function spansFrom(
  events: readonly SpanEvent[],
  { raisedAt, clearedAt }: Pick<Alert, 'raisedAt' | 'clearedAt'>,
): AlertSpan[] {
  const spans: AlertSpan[] = []
  /** Places in `spans` of what has no end yet. */
  let standing: number | undefined
  let late: number | undefined
  for (const { what, at } of events) {
    if (what === 'found-late') late = spans.push({ from: at, to: at }) - 1
    if (what === 'raised' || what === 'recurred') {
      if (standing !== undefined) spans[standing] = { ...spans[standing]!, to: spans[standing]!.from }
      standing = spans.push({ from: at, to: null }) - 1
    }
    if (what !== 'cleared') continue
    const ended = standing !== undefined && at >= spans[standing]!.from ? standing : late
    if (ended === undefined) continue
    spans[ended] = { ...spans[ended]!, to: Math.max(at, spans[ended]!.from) }
    if (ended === standing) standing = undefined
    else late = undefined
  }
  if (standing !== undefined && clearedAt !== null)
    spans[standing] = { ...spans[standing]!, to: Math.max(clearedAt, spans[standing]!.from) }
  if (spans.length === 0) return [{ from: raisedAt, to: clearedAt }]
  return spans.sort((a, b) => a.from - b.from)
}
