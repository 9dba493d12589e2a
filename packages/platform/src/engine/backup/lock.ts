/** For how long the store holds what is put, against everybody (object lock). */
import type { BackupSettings } from './settings.ts'

const DAY_MS = 86_400_000

export interface Lock {
  /** Behind the names of what is put anew in each half of the span; '' = nothing is held. */
  readonly suffix: string
  readonly until?: Date
}

/**
 * A store that holds what was put cannot hold it longer afterwards, so what is needed for longer (a chunk that many copies share, the
 * key, the ledger) is put anew in each half of the span, under a name of its own, and held to the end of that half and the whole span.
 */
export function lockOf({ lockDays }: Pick<BackupSettings, 'lockDays'>, now: number): Lock {
  if (lockDays === 0) return { suffix: '' }
  const half = (lockDays * DAY_MS) / 2
  const epoch = Math.floor(now / half)
  return { suffix: `-${epoch}`, until: new Date((epoch + 1) * half + 2 * half) }
}

export const noLock: Lock = { suffix: '' }

/** The name without what `lockOf` put behind it, and of which half of a span it is (0: of none). */
export function unlocked(name: string): { readonly name: string; readonly epoch: number } {
  const match = /^(.*)-(\d+)$/.exec(name)
  return match ? { name: match[1]!, epoch: Number(match[2]) } : { name, epoch: 0 }
}

/** Of names that differ only by their half of a span the newest. */
export function newestOfEach(names: readonly string[]): string[] {
  const newest = new Map<string, { readonly full: string; readonly epoch: number }>()
  for (const full of names) {
    const { name, epoch } = unlocked(full)
    if (epoch >= (newest.get(name)?.epoch ?? 0)) newest.set(name, { full, epoch })
  }
  return [...newest.values()].map(({ full }) => full)
}
