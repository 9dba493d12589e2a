/**
 * The cold-chain board: every place and thing under a temperature rule, with what its probes read now and read in the last 24 h,
 * the band it may be in, and what is open about it. Read for hundreds of units at once, in a handful of statements.
 */
import type { AlertSpan, Board, BoardProbe, BoardUnit } from '@careloop/contract'
import {
  type Alert,
  type Alerting,
  openAlertsOf,
  type StaffNames,
  shownSentence,
  spansOf,
  staffNamesOf,
  subjectRef,
} from '../alerting/index.ts'
import type { Engine } from '../engine/index.ts'
import { type Probe, probesOf } from '../fleet/index.ts'
import { audited, type By, type NamedSubject, type Subjects, sees } from '../subjects/index.ts'
import { type Glance, type Glanced, makeGlance } from '../telemetry/index.ts'
import { openTasksOf, type TaskOfAlert } from '../workflow/index.ts'
import { isTemperature, temperatureUcum, temperatureUnit } from './band.ts'
import { worstFirst } from './order.ts'
import { boardKinds, type Watched, watchedUnits } from './watched.ts'

export interface BoardParts {
  readonly engine: Engine
  readonly subjects: Pick<Subjects, 'names' | 'enrolmentsAt' | 'sites'>
  readonly alerting: Pick<Alerting, 'programs' | 'standingRules'>
  /** Who works here, by name. */
  readonly staff: StaffNames
}

const stepMs = 15 * 60_000
const steps = 96
const battery = 'battery-level'
const door = 'door-open'

/** Made once for a process: it keeps what stored readings came to. */
export function makeBoard(parts: BoardParts): (by: By) => Promise<Board> {
  const glance = makeGlance(parts.engine)
  return (by) => readBoard(parts, glance, by)
}

/** Audited as a reading of each unit that it shows. */
async function readBoard(parts: BoardParts, glance: Glance, by: By): Promise<Board> {
  const { engine, subjects } = parts
  const now = engine.clock.now()
  const watched = await watchedUnits(parts.alerting, subjects, by.tenant, now)
  const named = await subjects.names(by.tenant, [...watched.keys()])
  const shown = [...named.values()].filter((unit) => boardKinds.includes(unit.kind) && sees(by.sight, unit))
  const ids = shown.map(({ id }) => id)
  const known = await gather(parts, glance, by, watched, ids, now)
  return { units: shown.map((subject) => unitOf(subject, watched.get(subject.id)!, known)).sort(worstFirst), at: now }
}

/** What the rooms know of the units, by subject. */
interface Known {
  readonly probes: ReadonlyMap<string, readonly Probe[]>
  readonly glanced: ReadonlyMap<string, readonly Glanced[]>
  readonly alerts: ReadonlyMap<string, readonly Alert[]>
  /** When each alert's condition stood, by alert. */
  readonly spans: ReadonlyMap<string, readonly AlertSpan[]>
  readonly tasks: ReadonlyMap<string, TaskOfAlert>
  readonly sites: ReadonlyMap<string, string>
  readonly staff: ReadonlyMap<string, string>
  readonly from: number
}

async function gather(
  { engine, subjects, staff }: BoardParts,
  glance: Glance,
  by: By,
  watched: ReadonlyMap<string, Watched>,
  ids: readonly string[],
  now: number,
): Promise<Known> {
  const { tenant } = by
  const from = Math.floor(now / stepMs) * stepMs - (steps - 1) * stepMs
  const signals = [...new Set(ids.flatMap((id) => watched.get(id)!.signals))]
  const bandOf = (subject: string, code: string) => {
    const unit = watched.get(subject)!
    return code === unit.signals[0] ? unit.band : null
  }
  const { alerts, spans, tasks } = await engine.db.asTenant(tenant, async (tx) => {
    const alerts = await openAlertsOf(engine, tx, ids)
    const open = [...alerts.values()].flat()
    await audited(tx, by, 'read', 'board', { subjects: ids })
    const tasks = await openTasksOf(
      tx,
      open.map((alert) => alert.id),
    )
    return { alerts, spans: await spansOf(tx, open), tasks }
  })
  const question = { tenant, subjects: ids, signals, besides: [battery, door], now, from, stepMs, steps, bandOf }
  const glanced = ids.length === 0 ? [] : await glance(question)
  return {
    ...{ alerts, spans, tasks, from, glanced: Map.groupBy(glanced, (one) => one.subject) },
    probes: Map.groupBy(await probesOf(engine, tenant, ids), (probe) => probe.subject),
    sites: new Map((await subjects.sites(tenant)).map((site) => [site.id, site.name])),
    staff: await staffNamesOf(staff, tenant),
  }
}

function unitOf(subject: NamedSubject, unit: Watched, known: Known): BoardUnit {
  const { programs, band, signals } = unit
  const glanced = known.glanced.get(subject.id) ?? []
  const worn = known.probes.get(subject.id) ?? []
  const probes = worn.flatMap((probe) => probesOn(probe, signals, glanced, known.from))
  const isCurrent = ({ device, signal, state }: Glanced) =>
    state === 'fresh' && signal === signals[0] && worn.some((one) => one.device === device)
  const current = glanced.filter(isCurrent)
  const out = current.flatMap(({ outSince }) => outSince ?? [])
  return {
    ...{ subject: subjectRef(subject), site: subject.site === null ? null : (known.sites.get(subject.site) ?? null) },
    ...{ programs: [...programs], unit: temperatureUnit, ucum: temperatureUcum, signal: signals[0]!, band, probes },
    doors: worn.flatMap((probe) => doorsOn(probe, glanced)),
    alerts: alertsOn(subject, known),
    outSince: out.length === 0 ? null : Math.min(...out),
  }
}

/** A device with its temperatures. One that has told of other things only (a door contact) is no probe; one that is new is. */
function probesOn(probe: Probe, signals: readonly string[], glanced: readonly Glanced[], from: number): BoardProbe[] {
  const own = glanced.filter(({ device }) => device === probe.device)
  const told = own.find(({ signal, current }) => signal === battery && typeof current?.value === 'number')?.current
    ?.value
  const percent = typeof told === 'number' ? told : probe.attributes[battery]
  const base = {
    ...{ device: probe.device, name: probe.name, connected: probe.connected },
    ...(typeof percent === 'number' ? { batteryPercent: percent } : {}),
  }
  const read = signals.flatMap((code): BoardProbe[] => {
    const one = own.find(({ signal }) => signal === code)
    if (one === undefined) return []
    const { state, last, freshForMs, trace } = one
    const number =
      typeof last.value === 'number' ? { value: last.value, measuredAt: last.measuredAt, freshForMs } : null
    return [{ ...base, signal: code, state, trace: [...trace], ...(number === null ? {} : { last: number }) }]
  })
  if (read.length > 0 || own.some(({ signal }) => !isTemperature(signal))) return read
  const empty = Array.from({ length: steps }, (_, i) => ({ at: from + i * stepMs, min: null, max: null, mean: null }))
  return [{ ...base, signal: signals[0]!, state: 'no-data', trace: empty }]
}

/** A contact that tells 1 when open; of one that could not say there is nothing to show. */
function doorsOn({ device, name }: Probe, glanced: readonly Glanced[]): BoardUnit['doors'] {
  return glanced
    .filter((one) => one.device === device && one.signal === door)
    .flatMap(({ last, state }) =>
      typeof last.value === 'number'
        ? [{ device, name, open: last.value === 1, measuredAt: last.measuredAt, fresh: state === 'fresh' }]
        : [],
    )
}

const priorityRank = { high: 0, medium: 1, low: 2 } as const

function alertsOn(subject: NamedSubject, known: Known): BoardUnit['alerts'] {
  const open = [...(known.alerts.get(subject.id) ?? [])].sort(
    (a, b) =>
      Number(a.condition === 'cleared') - Number(b.condition === 'cleared') ||
      priorityRank[a.priority] - priorityRank[b.priority] ||
      a.raisedAt - b.raisedAt,
  )
  return open.map((alert) => {
    const task = known.tasks.get(alert.id)
    const claimedBy = task?.claimedBy ?? null
    const stood = known.spans.get(alert.id)!
    return {
      ...{ alert: alert.id, task: task?.task ?? null, priority: alert.priority },
      ...{ nature: alert.rule.definition.nature, title: alert.rule.definition.title },
      ...{ sentence: shownSentence(alert, subject), since: stood.at(-1)!.from },
      ...(stood.length === 1 ? {} : { firstRaisedAt: stood[0]!.from, timesBack: stood.length - 1 }),
      ...{ condition: alert.condition, handling: alert.handling },
      ...(claimedBy === null ? {} : { claimedBy: known.staff.get(claimedBy) ?? claimedBy }),
    }
  })
}
