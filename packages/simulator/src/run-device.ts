/** Lets a virtual device live: at each of its moments it says what it says then. */
import type { EpochMs } from '@careloop/contract'
import { nextMoment, type VirtualDevice } from './devices/virtual-device.ts'
import type { Answer, Speaker } from './speakers/speaker.ts'

export interface Life {
  /** Ends the device's life; resolves when what it was saying has been answered. */
  stop(): Promise<void>
}

export interface LifeParts {
  readonly now: () => EpochMs
  /** Calls once after `ms`; returns the cancel. */
  readonly after: (ms: number, fn: () => void) => () => void
  readonly answered?: (answers: readonly Answer[], tookMs: number) => void
  /** The connection broke, or the server is away. The device goes on and tries at its next moment. */
  readonly failed?: (error: unknown) => void
}

/** Real time. */
export const realTime: Pick<LifeParts, 'now' | 'after'> = {
  now: () => Date.now(),
  after(ms, fn) {
    const timer = setTimeout(fn, ms)
    return () => clearTimeout(timer)
  },
}

/** @param from the first moment; what lies between it and now is said at once, as a device does that kept it */
export function runDevice(device: VirtualDevice, speaker: Speaker, parts: LifeParts, from = parts.now()): Life {
  let next = nextMoment(device, from)
  let running = true
  let cancel = () => {}
  let saying: Promise<void> = Promise.resolve()
  const turn = async () => {
    const began = parts.now()
    const due = device.say(next)
    next += device.everyMs
    try {
      if (due.length > 0) parts.answered?.(await speaker.say(due), parts.now() - began)
    } catch (error) {
      parts.failed?.(error)
    }
    plan()
  }
  const plan = () => {
    if (!running) return
    cancel = parts.after(Math.max(0, next - parts.now()), () => {
      saying = turn()
    })
  }
  plan()
  return {
    async stop() {
      running = false
      cancel()
      await saying
    },
  }
}
