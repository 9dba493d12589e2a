/** What the stage of this process knows of itself, for readiness and metrics: the database tells only what all processes did. */
import type { Engine } from '../engine/index.ts'

export interface SealingState {
  /** Of the configuration. */
  readonly sinks: readonly { readonly name: string; readonly isElsewhere: boolean }[]
  /** Why this process seals nothing, in words; null when it does or is not its turn. */
  trouble: string | null
}

const states = new WeakMap<Engine['watch'], SealingState>()

export function keepSealingState(engine: Pick<Engine, 'watch'>, sinks: SealingState['sinks']): SealingState {
  const state = { sinks: sinks.map(({ name, isElsewhere }) => ({ name, isElsewhere })), trouble: null }
  states.set(engine.watch, state)
  return state
}

/** undefined in a process that does not seal. */
export const sealingState = (engine: Pick<Engine, 'watch'>): SealingState | undefined => states.get(engine.watch)
