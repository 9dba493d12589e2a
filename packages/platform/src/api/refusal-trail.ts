/**
 * Refusals of somebody known, in the trail. The first is written before they hear of it; the same again within a minute is counted and
 * written as one entry with its number: a program that asks ten times a second for what it may not have fills no disk, and the fact
 * that it did is not lost. Only a process that is killed loses the number of its last minute.
 */
import type { Engine } from '../engine/index.ts'
import { safeError } from '../engine/index.ts'

export interface Refusal {
  readonly tenant: string
  /** As audit entries say it. */
  readonly actor: string
  /** What was refused: method and pattern of the route. */
  readonly id: string
  readonly requestId: string
}

export interface RefusalTrail {
  /** @throws what writing throws: then the asker hears of that, and no refusal goes untold */
  note(refusal: Refusal): Promise<void>
  /** Writes what is counted. */
  close(): Promise<void>
}

type Write = (refusal: Refusal & { readonly times: number }) => Promise<void>

const WINDOW_MS = 60_000
const LOOK_MS = 10_000
/** More kinds than this at a time are written one by one. */
const MAX_KINDS = 10_000

interface Counted {
  readonly refusal: Refusal
  readonly since: number
  times: number
}

export function makeRefusalTrail({ clock, watch }: Pick<Engine, 'clock' | 'watch'>, write: Write): RefusalTrail {
  const counted = new Map<string, Counted>()
  const flush = async (isDue: (each: Counted) => boolean) => {
    // A copy: what could not be written is put back, and would come round again at once.
    for (const [kind, each] of [...counted]) {
      if (!isDue(each)) continue
      counted.delete(kind)
      if (each.times === 0) continue
      await write({ ...each.refusal, times: each.times }).catch((error: unknown) => {
        watch.log.error({ err: safeError(error), times: each.times }, 'refusals could not be written to the trail')
        const later = counted.get(kind)
        // Kept for the next look, with what came meanwhile.
        counted.set(kind, { ...each, times: each.times + (later?.times ?? 0) })
      })
    }
  }
  const stop = clock.every(LOOK_MS, () => void flush(({ since }) => clock.now() - since >= WINDOW_MS))
  return {
    async note(refusal) {
      const kind = `${refusal.tenant} ${refusal.actor} ${refusal.id}`
      const known = counted.get(kind)
      if (known && clock.now() - known.since < WINDOW_MS) {
        known.times += 1
        return
      }
      if (known) await flush((each) => each === known)
      if (counted.size < MAX_KINDS) counted.set(kind, { refusal, since: clock.now(), times: 0 })
      await write({ ...refusal, times: 1 }).catch((error: unknown) => {
        counted.delete(kind)
        throw error
      })
    },
    async close() {
      stop()
      await flush(() => true)
    },
  }
}
