/**
 * Alert rows, events and facts of one commit, in the transaction that moves the cursor. Each organisation's are read in one query,
 * folded in their order in memory, and written in as few: hundreds of transitions may come in a second.
 */
import type { Insertable, Selectable } from 'kysely'
import type { Engine, EngineTx, TenantTx } from '../engine/index.ts'
import { type AlertingTables, toMs } from './schema.ts'
import { sealDetail, sealSummary } from './summary.ts'
import type { Prepared } from './transitions.ts'

/** Log time that lies so far behind the clock was evaluated while catching up: whoever pages asks again whether it still stands. */
export const catchingUpMs = 60_000
const rowsAtOnce = 500

export async function applyTransitions(engine: Engine, tx: EngineTx, prepared: readonly Prepared[]): Promise<void> {
  for (const [tenant, ofTenant] of Map.groupBy(prepared, (each) => each.tenant))
    await tx.asTenant(tenant, async (tenantTx) => {
      const writer = new AlertWriter(engine, await standing(tenantTx, ofTenant))
      for (const one of ofTenant) writer.take(one)
      await writer.write(tenantTx)
    })
}

type StoredAlert = Selectable<AlertingTables['alert']>
type NewEvent = Insertable<AlertingTables['alert_event']>

/** What of an alert this may change, beside what finds it. */
interface AlertState {
  readonly id: string
  readonly recordedAt: number
  ruleVersion: number
  enrolment: string
  override: string | null
  condition: StoredAlert['condition']
  handling: StoredAlert['handling']
  priority: StoredAlert['priority']
  nature: StoredAlert['nature']
  historic: boolean
  clearedAt: number | null
  keyId: string
  /** Sealed; null = as it is. */
  summary: Buffer | null
  /** Raised anew by the subject's own readings: no longer about the wrong one. */
  isItsOwn: boolean
}

const keyOf = ({ transition: { rule, subject, focus } }: Prepared) => `${rule}/${subject}/${focus}`

class AlertWriter {
  readonly #now: number
  readonly #newId: () => string
  readonly #known: Map<string, AlertState[]>
  readonly #made = new Map<AlertState, Insertable<AlertingTables['alert']>>()
  readonly #changed = new Set<AlertState>()
  readonly #events: NewEvent[] = []
  readonly #facts: ((tx: TenantTx) => Promise<void>)[] = []

  constructor(engine: Engine, known: Map<string, AlertState[]>) {
    this.#now = engine.clock.now()
    this.#newId = () => engine.ids.uuid()
    this.#known = known
  }

  take(told: Prepared): void {
    // Whole milliseconds, whatever a reading's time was: a row that the database refuses would stop everybody's rules.
    const transition = { ...told.transition, at: Math.round(told.transition.at) }
    const prepared = { ...told, transition }
    const alerts = this.#known.get(keyOf(prepared)) ?? []
    const { what } = prepared.transition
    if (what === 'cleared') this.#clear(alerts, prepared)
    else if (what !== 'evidence-changed') this.#raise(alerts, prepared)
    else {
      const newest = newestOf(alerts)
      if (newest !== undefined) this.#addEvent(newest, what, prepared)
    }
  }

  #raise(alerts: readonly AlertState[], prepared: Prepared): void {
    const open = alerts.find(({ handling }) => handling !== 'closed')
    if (open === undefined) {
      this.#open(prepared)
      return
    }
    const { transition, key, tenant, override } = prepared
    // A backfill adds to what stands open; it pages nobody and changes nothing of how it stands.
    if (transition.historic) {
      this.#addEvent(open, 'found-late', prepared)
      return
    }
    const seen = open.handling === 'acknowledged' ? { wasSeen: true } : {}
    this.#change(open, {
      ...{ condition: 'active', clearedAt: null, handling: 'new', historic: false, isItsOwn: true, override },
      // As the rule says now: its file may have been changed since the alert was opened.
      ...kindOf(prepared),
      ...{ ruleVersion: transition.version, enrolment: transition.enrolment, keyId: key.id },
      summary: sealSummary(key, tenant, open.id, prepared.summary!),
    })
    this.#addEvent(open, 'recurred', prepared)
    const { subject } = transition
    const about = { alert: open.id, subject, ...seen, ...this.#behind(prepared) }
    this.#facts.push((tx) => tx.publish({ type: 'AlertRecurred', ...about }))
  }

  #open(prepared: Prepared): void {
    const { transition, key, tenant, override } = prepared
    const id = this.#newId()
    const { historic } = transition
    const kind = kindOf(prepared)
    const alert: AlertState = {
      ...{ id, recordedAt: this.#now, ruleVersion: transition.version, enrolment: transition.enrolment, override },
      // Found late means that nobody knows whether it stands: readings of now decide that, by an alert that is not historic.
      ...{ condition: historic ? 'cleared' : 'active', clearedAt: historic ? transition.at : null, historic },
      ...kind,
      ...{ handling: 'new', keyId: key.id, summary: sealSummary(key, tenant, id, prepared.summary!), isItsOwn: true },
    }
    this.#made.set(alert, {
      ...{ id, rule_id: transition.rule, program: prepared.program, subject_id: transition.subject },
      ...{ focus: transition.focus, closed_at: null },
      ...{ raised_at: transition.at, recorded_at: this.#now, ...columnsOf(alert), summary: alert.summary! },
    })
    this.#known.set(keyOf(prepared), [...(this.#known.get(keyOf(prepared)) ?? []), alert])
    this.#addEvent(alert, 'raised', prepared)
    const about = { alert: id, subject: transition.subject, rule: transition.rule, priority: kind.priority, historic }
    this.#facts.push((tx) => tx.publish({ type: 'AlertRaised', ...about, ...this.#behind(prepared) }))
  }

  #clear(alerts: readonly AlertState[], prepared: Prepared): void {
    const { transition } = prepared
    // Its beginning was added to what stands open: no review of long ago ends by it.
    if (transition.historic && alerts.some(({ handling, historic }) => handling !== 'closed' && !historic)) return
    const stood = alerts.filter(({ historic, condition }) => (transition.historic ? historic : condition === 'active'))
    const alert = newestOf(stood)
    if (alert === undefined) return
    this.#change(alert, { condition: 'cleared', clearedAt: transition.at })
    // Those that were closed until it is worse: their condition was the same one, and would stand for ever. A transition has one event.
    if (!transition.historic)
      for (const before of stood)
        if (before !== alert) this.#change(before, { condition: 'cleared', clearedAt: transition.at })
    this.#addEvent(alert, 'cleared', prepared)
    this.#facts.push((tx) => tx.publish({ type: 'AlertCleared', alert: alert.id, subject: transition.subject }))
  }

  #behind({ storedAt }: Prepared): { catchingUp?: true } {
    return this.#now - storedAt > catchingUpMs ? { catchingUp: true } : {}
  }

  #change(alert: AlertState, columns: Partial<AlertState>): void {
    Object.assign(alert, columns)
    const made = this.#made.get(alert)
    if (made === undefined) this.#changed.add(alert)
    else Object.assign(made, columnsOf(alert), { summary: alert.summary })
  }

  #addEvent(alert: AlertState, what: NewEvent['what'], prepared: Prepared): void {
    const { key, evidence, tenant, partition, position, ordinal, transition } = prepared
    const detail = evidence === null ? null : sealDetail(key, tenant, alert.id, evidence)
    this.#events.push({
      ...{ alert_id: alert.id, what, at: transition.at, recorded_at: this.#now, actor: null },
      ...{ partition, position, ordinal, detail, key_id: detail === null ? null : key.id },
    })
  }

  async write(tx: TenantTx): Promise<void> {
    const tables = tx.tables<AlertingTables>()
    for (const rows of inPages([...this.#made.values()])) await tables.insertInto('alert').values(rows).execute()
    if (this.#changed.size > 0) await writeChanged(tx, [...this.#changed])
    for (const rows of inPages(this.#events)) await tables.insertInto('alert_event').values(rows).execute()
    for (const publish of this.#facts) await publish(tx)
  }
}

const newestOf = (alerts: readonly AlertState[]): AlertState | undefined =>
  alerts.reduce<AlertState | undefined>((newest, alert) => {
    if (newest === undefined || alert.recordedAt > newest.recordedAt) return alert
    return alert.recordedAt === newest.recordedAt && alert.id > newest.id ? alert : newest
  }, undefined)

/** That nobody watches is as urgent as what is not watched; what lies long ago and was not judged is not. What may have been forgotten is for today. */
const kindOf = ({ transition: { what }, rule }: Prepared): Pick<AlertState, 'priority' | 'nature'> => ({
  priority: what === 'not-judged' ? 'low' : what === 'state-lost' ? 'medium' : rule.priority,
  nature: what === 'raised' ? rule.nature : 'technical',
})

const columnsOf = (alert: AlertState) => ({
  ...{ rule_version: alert.ruleVersion, enrolment_id: alert.enrolment, override_id: alert.override },
  ...{ condition: alert.condition, handling: alert.handling, historic: alert.historic },
  ...{ priority: alert.priority, nature: alert.nature },
  ...{ cleared_at: alert.clearedAt, key_id: alert.keyId },
})

function* inPages<T>(rows: readonly T[]): Generator<T[]> {
  for (let from = 0; from < rows.length; from += rowsAtOnce) yield rows.slice(from, from + rowsAtOnce)
}

/** Of each (rule, subject, focus): what is open or active, the newest, and the newest that was found late. Locked. */
async function standing(tx: TenantTx, prepared: readonly Prepared[]): Promise<Map<string, AlertState[]>> {
  const keys = [...new Map(prepared.map((each) => [keyOf(each), each.transition])).values()]
  const { rows } = await tx.client.query<StoredAlert>(
    `select a.id, a.rule_id, a.subject_id, a.focus, a.rule_version, a.enrolment_id, a.override_id, a.condition, a.handling,
            a.priority, a.nature, a.historic, a.recorded_at, a.cleared_at, a.key_id
       from unnest($2::uuid[], $3::uuid[], $4::text[]) as k(rule, subject, focus)
       join tenant.alert a on a.tenant_id = $1 and a.rule_id = k.rule and a.subject_id = k.subject and a.focus = k.focus
      where a.handling <> 'closed' or a.condition = 'active'
         or a.id in ((select n.id from tenant.alert n
                       where n.tenant_id = $1 and n.rule_id = k.rule and n.subject_id = k.subject and n.focus = k.focus
                       order by n.recorded_at desc, n.id desc limit 1),
                     (select n.id from tenant.alert n
                       where n.tenant_id = $1 and n.rule_id = k.rule and n.subject_id = k.subject and n.focus = k.focus
                         and n.historic
                       order by n.recorded_at desc, n.id desc limit 1))
      order by a.id for update of a`,
    [tx.tenant, keys.map(({ rule }) => rule), keys.map(({ subject }) => subject), keys.map(({ focus }) => focus)],
  )
  const known = new Map<string, AlertState[]>()
  for (const [key, found] of Map.groupBy(rows, (row) => `${row.rule_id}/${row.subject_id}/${row.focus}`))
    known.set(key, found.map(stateOf))
  return known
}

const stateOf = (row: StoredAlert): AlertState => ({
  ...{ id: row.id, recordedAt: toMs(row.recorded_at), ruleVersion: row.rule_version, enrolment: row.enrolment_id },
  ...{ override: row.override_id, condition: row.condition, handling: row.handling, historic: row.historic },
  ...{ priority: row.priority, nature: row.nature },
  clearedAt: row.cleared_at === null ? null : toMs(row.cleared_at),
  ...{ keyId: row.key_id, summary: null, isItsOwn: false },
})

const writeChanged = (tx: TenantTx, alerts: readonly AlertState[]) =>
  tx.client.query(
    `update tenant.alert a
        set rule_version = u.rule_version, enrolment_id = u.enrolment_id, override_id = u.override_id,
            condition = u.condition, handling = u.handling, historic = u.historic, cleared_at = u.cleared_at,
            priority = u.priority, nature = u.nature,
            key_id = u.key_id, summary = coalesce(u.summary, a.summary),
            moved_devices = case when u.is_its_own then '{}' else a.moved_devices end
       from unnest($2::uuid[], $3::int[], $4::uuid[], $5::uuid[], $6::text[], $7::text[], $8::boolean[], $9::bigint[],
                   $10::uuid[], $11::bytea[], $12::boolean[], $13::text[], $14::text[])
            as u(id, rule_version, enrolment_id, override_id, condition, handling, historic, cleared_at, key_id, summary,
                 is_its_own, priority, nature)
      where a.tenant_id = $1 and a.id = u.id`,
    [
      tx.tenant,
      alerts.map(({ id }) => id),
      alerts.map(({ ruleVersion }) => ruleVersion),
      alerts.map(({ enrolment }) => enrolment),
      alerts.map(({ override }) => override),
      alerts.map(({ condition }) => condition),
      alerts.map(({ handling }) => handling),
      alerts.map(({ historic }) => historic),
      alerts.map(({ clearedAt }) => clearedAt),
      alerts.map(({ keyId }) => keyId),
      alerts.map(({ summary }) => summary),
      alerts.map(({ isItsOwn }) => isItsOwn),
      alerts.map(({ priority }) => priority),
      alerts.map(({ nature }) => nature),
    ],
  )
