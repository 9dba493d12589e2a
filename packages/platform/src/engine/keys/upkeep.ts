/** Ends what a rotation of the master key left: one that was killed, or a key that slipped in under the old one meanwhile. */
import type { Engine, Stage } from '../ports.ts'

const EVERY_MS = 10 * 60_000

export const keyUpkeepStage: Stage = {
  name: 'key-upkeep',
  async start(engine) {
    let running: Promise<void> = Promise.resolve()
    const look = () => {
      running = running.then(() => finish(engine))
    }
    look()
    const stop = engine.clock.every(EVERY_MS, look)
    return async () => {
      stop()
      await running
    }
  },
}

async function finish({ keys, watch }: Engine): Promise<void> {
  try {
    const { rewrapped } = await keys.finishRotation()
    if (rewrapped > 0) watch.log.info({ rewrapped }, 'a rotation of the master key was ended')
  } catch (err) {
    watch.log.warn({ err }, 'data keys could not be wrapped by the newest master key; it is tried again')
  }
}
