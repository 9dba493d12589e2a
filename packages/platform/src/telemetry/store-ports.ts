import type { Engine } from '../engine/index.ts'

/** What storing and reading need of the engine. */
export interface StorePorts extends Pick<Engine, 'db' | 'keys' | 'compute' | 'blobs'> {
  /** Tests throw here to stop at any step, as a crash would. */
  readonly fault?: ((step: string) => void) | undefined
}
