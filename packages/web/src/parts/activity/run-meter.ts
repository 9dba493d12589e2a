/** The meter beside a real page: signs of life in, entries to the server out. */
import type { PutActivity } from '@careloop/contract'
import { ApiError, call } from '../../api/client.ts'
import { endpoints } from '../../api/endpoints.ts'
import { serverNow } from '../../app/clock.ts'
import { lockingEvent } from '../../app/idle.ts'
import { after, begin, type Happening, type Meter, type Sent, type What } from './meter.ts'
import { newId } from './new-id.ts'

export interface About {
  readonly subject: string
  readonly task?: string | undefined
  readonly source: PutActivity['source']
}

export interface RunningMeter {
  readonly now: () => Meter
  readonly listen: (listener: () => void) => () => void
  readonly tell: (what: What) => void
  readonly pause: () => void
  readonly resume: () => void
  readonly discard: () => void
  /** Why the last entry could not be sent; null = it could. */
  readonly trouble: () => string | null
  readonly end: () => void
}

const heartbeatMs = 20_000
const tickMs = 5_000
const signs = ['pointerdown', 'pointermove', 'keydown', 'wheel', 'touchstart'] as const

/** @param what it begins as */
export function runMeter(about: About, what: What): RunningMeter {
  let meter = begin(what, newId(), serverNow())
  let trouble: string | null = null
  const listeners = new Set<() => void>()
  /** What could not be sent: the newest of each entry, tried again with each heartbeat. */
  const unsent = new Map<string, Sent>()
  const ending = new AbortController()

  const send = async (sent: Sent, isLeaving: boolean): Promise<void> => {
    unsent.set(sent.id, sent)
    try {
      await call(endpoints.putActivity, { params: { id: sent.id }, body: bodyOf(about, sent), keepalive: isLeaving })
      if (unsent.get(sent.id) === sent) unsent.delete(sent.id)
      trouble = null
    } catch (error) {
      // A refusal stays one; silence is tried again.
      if (error instanceof ApiError && error.status >= 400 && error.status < 500) unsent.delete(sent.id)
      trouble = (error as Error).message
    }
    for (const each of listeners) each()
  }
  const happen = (event: Happening): void => {
    const [next, sent] = after(meter, event)
    const changed = next !== meter
    meter = next
    if (sent !== null) void send(sent, event.is === 'left' || event.is === 'hidden')
    if (changed && event.is !== 'sign') for (const each of listeners) each()
  }
  const withId = (is: 'sign' | 'resumed' | 'shown') => happen({ is, at: serverNow(), id: newId() })
  const without = (is: 'tick' | 'heartbeat' | 'hidden' | 'paused' | 'discarded' | 'left') =>
    happen({ is, at: serverNow() })

  let lastSign = 0
  const sign = () => {
    // A moving pointer is a sign a second, not a hundred.
    if (performance.now() - lastSign < 1_000) return
    lastSign = performance.now()
    withId('sign')
  }
  const { signal } = ending
  for (const each of signs) addEventListener(each, sign, { passive: true, signal, capture: true })
  document.addEventListener('visibilitychange', () => (document.hidden ? without('hidden') : withId('shown')), {
    signal,
  })
  addEventListener('pagehide', () => without('left'), { signal })
  addEventListener(lockingEvent, () => without('left'), { signal })
  const timers = [
    setInterval(() => without('tick'), tickMs),
    setInterval(() => {
      for (const sent of [...unsent.values()]) void send(sent, false)
      without('heartbeat')
    }, heartbeatMs),
  ]
  return {
    now: () => meter,
    listen(listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    tell: (told) => happen({ is: 'told', at: serverNow(), id: newId(), what: told }),
    pause: () => without('paused'),
    resume: () => withId('resumed'),
    discard: () => without('discarded'),
    trouble: () => trouble,
    end() {
      without('left')
      ending.abort()
      for (const timer of timers) clearInterval(timer)
    },
  }
}

export const bodyOf = (about: About, { from, to, ended, kind, contact }: Omit<Sent, 'id'>, note = '') => ({
  subject: about.subject,
  ...(about.task === undefined ? {} : { task: about.task }),
  ...{ from: Math.round(from), to: Math.round(Math.max(from, Math.min(to, serverNow() - clockErrorMs))) },
  ...{ kind, contact, note, source: about.source, ended },
})

/** The server's clock is known to within 2 s, and an end in its future is refused. */
const clockErrorMs = 500
