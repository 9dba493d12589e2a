/** Waiting for what must come to hold. The time limit only ends a story that is broken; it never decides one. */
export async function waitFor(
  what: string,
  holds: () => boolean | Promise<boolean>,
  patienceMs = 180_000,
  everyMs = 25,
): Promise<void> {
  const until = performance.now() + patienceMs
  while (!(await holds())) {
    if (performance.now() > until) throw new Error(`waited ${patienceMs / 1000} s in vain for ${what}`)
    await sleep(everyMs)
  }
}

export const sleep = (ms: number): Promise<void> => new Promise((go) => setTimeout(go, ms))

/** Like waitFor for a question whose asking may fail while things are broken. */
export const waitUntilTrue = (what: string, ask: () => Promise<boolean>, patienceMs?: number): Promise<void> =>
  waitFor(what, () => ask().catch(() => false), patienceMs)

/** For a whole story: it waits for conditions, each with a limit of its own. */
export const PATIENCE_MS = 600_000
