/** One refrigerator or freezer: how it is in one word, each probe with its age, the last day, what is open and what to do. */
import type { BoardProbe, BoardUnit } from '@careloop/contract'
import { signal } from '@careloop/contract'
import { Title } from '@mantine/core'
import { Link } from '@tanstack/react-router'
import { useNow } from '../../app/clock.ts'
import { useMay } from '../../app/session.tsx'
import { Sparkline } from '../../parts/plot/sparkline.tsx'
import { agoText, momentText, spanText } from '../../parts/words.ts'
import classes from './board.module.css'
import { OpenAlerts } from './open-alerts.tsx'
import { bandText, priorityOf, sideOf, stateOf, statusOf, type UnitStatus } from './status.ts'

/** As a person sees it, with the way to the unit's page. */
export function Card({ unit }: { unit: BoardUnit }) {
  return <UnitCard unit={unit} isLinked={useMay('read', 'subject')} />
}

/** As a wall screen shows it too, at which nobody is signed in. */
export function UnitCard({ unit, isLinked }: { unit: BoardUnit; isLinked: boolean }) {
  const now = useNow()
  const status = statusOf(unit, now)
  return (
    <li
      className={classes.card}
      data-status={status}
      data-priority={priorityOf(unit)}
      aria-label={`${unit.subject.name}: ${statusWords[status]}`}
    >
      <div className={classes.head}>
        <Title order={2}>
          {isLinked ? (
            <Link to="/subjects/$id" params={{ id: unit.subject.id }} className={classes.name!}>
              {unit.subject.name}
            </Link>
          ) : (
            unit.subject.name
          )}
        </Title>
        <Status unit={unit} status={status} />
      </div>
      <p className={classes.about}>
        {[unit.site, bandText(unit) === undefined ? 'no limit set' : `allowed ${bandText(unit)}`]
          .filter((each) => each !== null)
          .join(' · ')}
      </p>
      {unit.probes.length === 0 ? <p>Wears no probe: put one on, on its page.</p> : null}
      {unit.probes.map((probe) => (
        <Probe key={`${probe.device}/${probe.signal}`} probe={probe} unit={unit} />
      ))}
      {unit.doors.map((door) => (
        <Door key={door.device} door={door} />
      ))}
      <OpenAlerts unit={unit} />
    </li>
  )
}

const statusWords: Readonly<Record<UnitStatus, string>> = {
  out: 'Out of range',
  alert: 'Needs attention',
  unknown: 'Not known',
  open: 'In range, still open',
  good: 'In range',
}
/** A sign beside each word, so that colour is never alone. */
const signs: Readonly<Record<UnitStatus, string>> = { out: '▲', alert: '!', unknown: '?', open: '◇', good: '✓' }

function Status({ unit, status }: { unit: BoardUnit; status: UnitStatus }) {
  const now = useNow()
  const since = unit.outSince
  return (
    <span className={classes.status} data-status={status}>
      <span aria-hidden="true">{signs[status]}</span> {statusWords[status]}
      {status === 'out' && since !== null ? ` for ${spanText(now - since)}, since ${momentText(since, now)}` : ''}
    </span>
  )
}

const dayMs = 86_400_000

function Probe({ probe, unit }: { probe: BoardProbe; unit: BoardUnit }) {
  const now = useNow()
  const state = stateOf(probe, now)
  const { last, trace } = probe
  const side = last === undefined || state !== 'fresh' ? 'inside' : sideOf(last.value, probe.signal, unit)
  const decimals = signal(probe.signal)?.decimals ?? 1
  return (
    <div className={classes.probe} data-state={state} data-side={side}>
      <div className={classes.reading}>
        {last === undefined ? (
          <span className={classes.none}>No reading yet</span>
        ) : (
          <span className={classes.value}>
            {last.value.toFixed(decimals)} <small>{unit.unit}</small>
          </span>
        )}
        <span className={classes.side}>
          {side === 'above' ? 'too warm' : side === 'below' ? 'too cold' : ''}
          {last === undefined || state === 'fresh' ? '' : staleWords[state]}
        </span>
        <span className={classes.age}>
          {unit.probes.some((each) => each.device === probe.device && each.signal !== probe.signal)
            ? `${probe.name}, ${signal(probe.signal)?.label.toLowerCase() ?? probe.signal}`
            : probe.name}
          {last === undefined ? '' : `, ${agoText(last.measuredAt, now)}`}
        </span>
        <Health probe={probe} />
      </div>
      {trace.length === 0 ? null : (
        <div className={classes.trace}>
          <Sparkline
            steps={trace}
            band={unit.band}
            from={Math.min(trace[0]!.at, now - dayMs)}
            to={now}
            label={`${probe.name}, last 24 hours: ${rangeText(probe, decimals, unit.unit)}`}
          />
          <span className={classes.day}>24 h: {rangeText(probe, decimals, unit.unit)}</span>
        </div>
      )}
    </div>
  )
}

const staleWords = { stale: 'not current', 'no-data': 'no data since' } as const

function rangeText({ trace }: BoardProbe, decimals: number, unit: string): string {
  const lows = trace.flatMap(({ min }) => (min === null ? [] : [min]))
  const highs = trace.flatMap(({ max }) => (max === null ? [] : [max]))
  if (lows.length === 0) return 'nothing measured'
  return `${Math.min(...lows).toFixed(decimals)} to ${Math.max(...highs).toFixed(decimals)} ${unit}`
}

/** A dying battery and a lost connection are told before they are a silent probe. */
function Health({ probe: { batteryPercent, connected } }: { probe: BoardProbe }) {
  const isLow = batteryPercent !== undefined && batteryPercent <= 20
  return (
    <span className={classes.health}>
      {batteryPercent === undefined ? null : (
        <span data-low={isLow || undefined}>
          Battery {Math.round(batteryPercent)} %{isLow ? ', low' : ''}
        </span>
      )}
      {connected === false ? <span data-low>Not connected</span> : null}
    </span>
  )
}

function Door({ door: { open, measuredAt, fresh } }: { door: BoardUnit['doors'][number] }) {
  const now = useNow()
  return (
    <p className={classes.door}>
      {fresh ? 'Door' : 'Door was'} <strong>{open ? 'open' : 'closed'}</strong>, {agoText(measuredAt, now)}
    </p>
  )
}
