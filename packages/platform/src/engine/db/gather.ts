/** Most keys of one look-up. */
const maxKeys = 256

/**
 * Looks up one by one what is cheaper to look up together: who asks while a look-up runs is in the next, by one statement. This is no
 * cache: a look-up begins after everybody asked whom it answers, so what was taken away before a question is not found by it.
 * @param find for each key what stands under it, in their order
 */
export function makeGather<K, V>(find: (keys: readonly K[]) => Promise<readonly V[]>): (key: K) => Promise<V> {
  const waiting: { key: K; resolve: (value: V) => void; reject: (error: unknown) => void }[] = []
  let isRunning = false
  const run = async (): Promise<void> => {
    const together = waiting.splice(0, maxKeys)
    try {
      const found = await find(together.map(({ key }) => key))
      for (const [at, { resolve }] of together.entries()) resolve(found[at]!)
    } catch (error) {
      for (const { reject } of together) reject(error)
    }
    if (waiting.length > 0) setImmediate(() => void run())
    else isRunning = false
  }
  return (key) =>
    new Promise<V>((resolve, reject) => {
      waiting.push({ key, resolve, reject })
      if (isRunning) return
      isRunning = true
      // After what this turn of the event loop brings.
      setImmediate(() => void run())
    })
}
