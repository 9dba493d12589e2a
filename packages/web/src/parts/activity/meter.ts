/**
 * What a person's time for a patient was, told from signs that they are there. Pure: given what happened and when, it says what is
 * shown and what is sent. Billing may rest on it, so it counts low: only up to the last sign before a pause, and each stretch
 * between pauses is an entry of its own.
 */
import { type ActivityKind, type ContactMode, isLiveContact } from '@careloop/contract'

/** Without a sign for so long, nobody is taken to be there. ms */
export const idleMs = 2 * 60_000
/** On a call nobody touches the page; after so long it is asked whether the call goes on. ms */
export const idleOnCallMs = 30 * 60_000
/** A glance is no work: what ended sooner is not sent. ms */
export const leastMs = 5_000

export interface What {
  readonly kind: ActivityKind
  readonly contact: ContactMode
}

export interface Stretch extends What {
  readonly id: string
  readonly from: number
  /** The last sign that somebody was there. */
  readonly lastSign: number
  /** Sent before: then its end must be sent, however short. */
  readonly isSent: boolean
}

export type Pause = 'idle' | 'hidden' | 'by-hand' | 'discarded'

export type Meter = {
  readonly what: What
  /** Of earlier stretches, as sent. ms */
  readonly doneMs: number
} & ({ readonly is: 'running'; readonly stretch: Stretch } | { readonly is: 'paused'; readonly why: Pause })

export interface Sent extends What {
  readonly id: string
  readonly from: number
  readonly to: number
  readonly ended: boolean
}

export type Happening =
  | { readonly is: 'sign' | 'resumed'; readonly at: number; readonly id: string }
  | { readonly is: 'tick' | 'heartbeat' | 'hidden' | 'paused' | 'discarded' | 'left'; readonly at: number }
  | { readonly is: 'shown'; readonly at: number; readonly id: string }
  | { readonly is: 'told'; readonly at: number; readonly id: string; readonly what: What }

export type Step = readonly [next: Meter, send: Sent | null]

export const begin = (what: What, id: string, at: number): Meter => ({
  ...{ what, doneMs: 0, is: 'running' },
  stretch: { ...what, id, from: at, lastSign: at, isSent: false },
})

export function after(meter: Meter, event: Happening): Step {
  if (meter.is === 'paused') return afterPause(meter, event)
  const { stretch } = meter
  const isOnCall = isLiveContact(stretch.contact)
  switch (event.is) {
    case 'sign':
    case 'shown':
      return [{ ...meter, stretch: { ...stretch, lastSign: event.at } }, null]
    case 'tick':
      return event.at - stretch.lastSign < (isOnCall ? idleOnCallMs : idleMs)
        ? [meter, null]
        : pause(meter, 'idle', stretch.lastSign)
    case 'heartbeat': {
      const to = isOnCall ? event.at : stretch.lastSign
      return [{ ...meter, stretch: { ...stretch, isSent: true } }, sentOf(stretch, to, false)]
    }
    case 'hidden':
      // On a call they look into another system meanwhile.
      return isOnCall ? [meter, null] : pause(meter, 'hidden', event.at)
    case 'paused':
      return pause(meter, 'by-hand', event.at)
    case 'left':
      return pause(meter, 'by-hand', event.at)
    case 'discarded':
      return pause(meter, 'discarded', stretch.from)
    case 'told': {
      // What was before was something else: its own entry.
      const [ended, send] = pause(meter, 'by-hand', event.at)
      return [resume({ ...ended, what: event.what }, event.id, event.at), send]
    }
    case 'resumed':
      return [meter, null]
  }
}

function afterPause(meter: Extract<Meter, { is: 'paused' }>, event: Happening): Step {
  const wasAway = meter.why === 'idle' || meter.why === 'hidden'
  if (event.is === 'resumed' || ((event.is === 'sign' || event.is === 'shown') && wasAway))
    return [resume(meter, event.id, event.at), null]
  // Who says that they call now, works now.
  if (event.is === 'told') return [resume({ ...meter, what: event.what }, event.id, event.at), null]
  return [meter, null]
}

const resume = ({ what, doneMs }: Meter, id: string, at: number): Meter => ({
  ...{ what, doneMs, is: 'running' },
  stretch: { ...what, id, from: at, lastSign: at, isSent: false },
})

function pause({ what, doneMs, stretch }: Extract<Meter, { is: 'running' }>, why: Pause, to: number): Step {
  const lengthMs = to - stretch.from
  const counts = lengthMs >= leastMs
  const next: Meter = { what, doneMs: doneMs + (counts ? lengthMs : 0), is: 'paused', why }
  if (counts) return [next, sentOf(stretch, to, true)]
  // Too short to count, or discarded: if it was told of before, it ends with no length.
  return [next, stretch.isSent ? sentOf(stretch, stretch.from, true) : null]
}

const sentOf = ({ id, from, kind, contact }: Stretch, to: number, ended: boolean): Sent => ({
  ...{ id, from, to, ended, kind, contact },
})

/** What the timer shows, ms. */
export const shownMs = (meter: Meter, now: number): number =>
  meter.doneMs + (meter.is === 'running' ? Math.max(0, now - meter.stretch.from) : 0)

/** `3:12`, `1:03:12`. */
export function clockText(ms: number): string {
  const seconds = Math.floor(ms / 1000)
  const [h, m, s] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, seconds % 60]
  const two = (n: number) => String(n).padStart(2, '0')
  return h > 0 ? `${h}:${two(m)}:${two(s)}` : `${m}:${two(s)}`
}
