/** What is known now: a tile a signal. A stale value looks stale, says so, and says its age; it is never shown as what is now. */
import type { SubjectAlerts } from '@careloop/contract'
import { useNavigate } from '@tanstack/react-router'
import { type AgeStart, ageSince, useNow } from '../../app/clock.ts'
import { PriorityMark } from '../../parts/priority-mark.tsx'
import { spanText } from '../../parts/words.ts'
import { type ShownSignal, stateAfter } from './shown-signals.ts'
import classes from './subject.module.css'

interface ValuesProps {
  readonly signals: readonly ShownSignal[]
  readonly chosen: string
  readonly askedAt: AgeStart
  readonly alerts: SubjectAlerts['items']
}

export function Values({ signals, chosen, askedAt, alerts }: ValuesProps) {
  // Each second: what grows old does so by itself, whether or not it can be read again.
  useNow()
  const passed = ageSince(askedAt)
  const tile = (each: ShownSignal) => (
    <Tile key={each.series} shown={each} isChosen={each.code === chosen} passed={passed} alerts={alerts} />
  )
  const ofDevices = signals.filter(({ kind }) => kind === 'device')
  return (
    <>
      <section className={classes.tiles} aria-label="Newest values; choose one for its chart">
        {signals.filter(({ kind }) => kind !== 'device').map(tile)}
      </section>
      {ofDevices.length === 0 ? null : (
        <section className={classes.small} aria-label="Newest values of the devices themselves">
          {ofDevices.map(tile)}
        </section>
      )}
    </>
  )
}

interface TileProps {
  readonly shown: ShownSignal
  readonly isChosen: boolean
  /** Milliseconds since the value was asked for. */
  readonly passed: number
  readonly alerts: SubjectAlerts['items']
}

function Tile({ shown, isChosen, passed, alerts }: TileProps) {
  const navigate = useNavigate({ from: '/subjects/$id' })
  const state = stateAfter(shown, passed)
  const worst = alerts.find(
    ({ condition, handling, signals }) =>
      condition === 'active' && handling !== 'closed' && signals.some((each) => shown.codes.includes(each)),
  )
  return (
    <button
      type="button"
      className={classes.tile}
      data-state={state}
      aria-pressed={isChosen}
      onClick={() => void navigate({ search: (before) => ({ ...before, signal: shown.code }) })}
    >
      <span className={classes.label}>
        {shown.label}
        {worst === undefined ? null : <PriorityMark priority={worst.priority} nature={worst.nature} size={16} />}
      </span>
      <span className={classes.value}>
        {shown.text} <small>{shown.unit}</small>
      </span>
      <span className={classes.age}>{ageWords(shown, state, passed)}</span>
    </button>
  )
}

function ageWords(shown: ShownSignal, state: ShownSignal['state'], passed: number): string {
  const age = `${spanText(shown.ageMs + passed)} old${stateWords[state]}`
  const gap = shown.gap === null ? '' : gapWords[shown.gap.reason]
  return [shown.isTimeKnown ? age : '', shown.oddities, gap].filter((words) => words !== '').join(', ')
}

const stateWords = { fresh: '', stale: ' · stale', 'no-data': ' · no data since' } as const
const gapWords = { 'no-data': 'nothing came', offline: 'device offline', deaf: 'Careloop did not hear' } as const
