/**
 * Windows of streams that are open, in memory, each with its row: what is held here is lost with the process, and read again from
 * the rows; totals that are lost are made again from telemetry. Of one organisation.
 */
import type { LoggedReading } from '@careloop/contract'
import type { TenantTx } from '../../engine/index.ts'
import { dueOf, policyOf, type SignalPolicy, windowOf } from './policy.ts'
import { emptyTotals, plus, type Totals, type WindowName } from './window-observation.ts'

export interface OpenWindow {
  readonly name: WindowName
  readonly policy: SignalPolicy
  /** By the log's time, ms. */
  readonly due: number
  /** Readings of it that became an Observation each. */
  told: number
  /** Null: to be made from telemetry, because not every reading was seen here once and in order. */
  totals: Totals | null
  /** measuredAt of its newest reading. */
  newest: number
}

type Place = Pick<WindowName, 'subject' | 'device'>

export class Windows {
  readonly #tenant: string
  readonly #open = new Map<string, OpenWindow>()
  readonly #byDue = new Map<number, Set<OpenWindow>>()
  #changed = new Set<OpenWindow>()
  /** The least of them: each entry asks, and there may be hundreds. */
  #nextDue = Number.POSITIVE_INFINITY

  constructor(tenant: string) {
    this.#tenant = tenant
  }

  async load(tx: TenantTx): Promise<void> {
    const { rows } = await tx.client.query<WindowRow>(
      `select device_id, signal, subject_id, from_ms, due_ms, told from tenant.clinical_window where tenant_id = $1`,
      [this.#tenant],
    )
    for (const row of rows) {
      const policy = policyOf(row.signal)
      if (policy === null) continue
      const name = { subject: row.subject_id, device: row.device_id, signal: row.signal, from: Number(row.from_ms) }
      this.#put({
        ...{ name: { tenant: this.#tenant, ...name }, policy, due: Number(row.due_ms), told: row.told },
        ...{ totals: null, newest: Number.POSITIVE_INFINITY },
      })
    }
  }

  /**
   * Counts a reading in its window.
   * @returns whether it becomes an Observation of its own
   */
  take(place: Place, reading: LoggedReading, policy: SignalPolicy, storedAt: number): boolean {
    const from = windowOf(place.device, reading.measuredAt, policy)
    const window = this.#windowOf(place, reading.signal, from, policy, storedAt)
    if (window.totals !== null) {
      const isNext = reading.measuredAt > window.newest
      window.totals = isNext ? plus(window.totals, reading) : null
      window.newest = Math.max(window.newest, reading.measuredAt)
    }
    if (window.told >= policy.each) return false
    window.told++
    this.#changed.add(window)
    return true
  }

  /** Whether the reading only counts: its window is open, and no reading of it becomes an Observation of its own any more. */
  onlyCounts(place: Place, { signal, measuredAt }: LoggedReading, policy: SignalPolicy, storedAt: number): boolean {
    const window = this.#open.get(keyOf(place, signal, windowOf(place.device, measuredAt, policy)))
    return window !== undefined && window.told >= policy.each && window.due > storedAt
  }

  #windowOf(place: Place, signal: string, from: number, policy: SignalPolicy, storedAt: number): OpenWindow {
    const known = this.#open.get(keyOf(place, signal, from))
    if (known !== undefined) return known
    const due = dueOf(from, policy.windowMs, storedAt)
    const isOnTime = due === dueOf(from, policy.windowMs, from)
    const { subject, device } = place
    const window: OpenWindow = {
      ...{ name: { tenant: this.#tenant, subject, device, signal, from }, policy, due, told: 0 },
      totals: isOnTime && policy.form === 'summary' ? emptyTotals : null,
      newest: Number.NEGATIVE_INFINITY,
    }
    this.#put(window)
    this.#changed.add(window)
    return window
  }

  /** After a correction somebody's readings are of another: their windows are made from telemetry, when they are due. */
  owe(name: WindowName, due: number, told: number): void {
    const policy = policyOf(name.signal)
    if (policy === null) return
    const known = this.#open.get(keyOf(name, name.signal, name.from))
    const window = known ?? { name, policy, due, told, totals: null, newest: Number.POSITIVE_INFINITY }
    if (known === undefined) this.#put(window)
    window.told = told
    window.totals = null
    this.#changed.add(window)
  }

  forgetTotals(device: string): void {
    for (const window of this.#open.values()) if (window.name.device === device) window.totals = null
  }

  /** Those that are due at this time of the log; they are open no more. */
  due(logMs: number): OpenWindow[] {
    if (logMs < this.#nextDue) return []
    const found: OpenWindow[] = []
    for (const [due, windows] of this.#byDue) {
      if (due > logMs) continue
      this.#byDue.delete(due)
      for (const window of windows) {
        this.#open.delete(keyOf(window.name, window.name.signal, window.name.from))
        found.push(window)
      }
    }
    this.#nextDue = Math.min(...this.#byDue.keys())
    return found
  }

  /** Writes the rows of what changed. */
  async write(tx: TenantTx): Promise<void> {
    if (this.#changed.size === 0) return
    const all = [...this.#changed]
    this.#changed = new Set()
    await tx.client.query({
      name: 'careloop-clinical-windows',
      text: `insert into tenant.clinical_window (tenant_id, subject_id, device_id, signal, from_ms, due_ms, told)
             select $1, w.* from unnest($2::uuid[], $3::uuid[], $4::text[], $5::bigint[], $6::bigint[], $7::int[]) as w
             on conflict (tenant_id, subject_id, device_id, signal, from_ms, due_ms) do update set told = excluded.told`,
      values: [...columnsOf(tx.tenant, all), all.map(({ told }) => told)],
    })
  }

  #put(window: OpenWindow): void {
    this.#open.set(keyOf(window.name, window.name.signal, window.name.from), window)
    const same = this.#byDue.get(window.due)
    if (same === undefined) this.#byDue.set(window.due, new Set([window]))
    else same.add(window)
    this.#nextDue = Math.min(this.#nextDue, window.due)
  }
}

/** Takes away the rows of windows that are written. */
export async function settleWindows(tx: TenantTx, windows: readonly OpenWindow[]): Promise<void> {
  if (windows.length === 0) return
  await tx.client.query({
    name: 'careloop-clinical-windows-settled',
    text: `delete from tenant.clinical_window w
            using unnest($2::uuid[], $3::uuid[], $4::text[], $5::bigint[], $6::bigint[]) as d(subject, device, signal, from_ms, due_ms)
            where w.tenant_id = $1 and w.subject_id = d.subject and w.device_id = d.device and w.signal = d.signal
              and w.from_ms = d.from_ms and w.due_ms = d.due_ms`,
    values: columnsOf(tx.tenant, windows),
  })
}

const columnsOf = (tenant: string, windows: readonly OpenWindow[]): unknown[] => [
  tenant,
  windows.map(({ name }) => name.subject),
  windows.map(({ name }) => name.device),
  windows.map(({ name }) => name.signal),
  windows.map(({ name }) => name.from),
  windows.map(({ due }) => due),
]

const keyOf = ({ subject, device }: Place, signal: string, from: number): string =>
  `${subject} ${device} ${signal} ${from}`

interface WindowRow {
  readonly device_id: string
  readonly signal: string
  readonly subject_id: string
  readonly from_ms: string
  readonly due_ms: string
  readonly told: number
}
