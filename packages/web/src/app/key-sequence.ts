/** Which act a key press means: one key (`j`), or two after each other (`g w`). Pure: the hook beside it listens and acts. */

/** An act that answers `false` did not want the key: the browser gets it. */
export type Keys = Readonly<Record<string, (() => unknown) | undefined>>

export interface Pressed {
  readonly act?: () => unknown
  /** The first key of two: the next press is told as the second. */
  readonly pending?: string
  /** The press was meant for us, also when it did nothing: `d` after `g` never completes a task. */
  readonly isOurs: boolean
}

/** @param layers of the page, the newest first: what was mounted last wins */
export function meaningOf(pending: string | undefined, key: string, layers: readonly Keys[]): Pressed {
  const name = pending === undefined ? key : `${pending} ${key}`
  for (const layer of layers) {
    const act = layer[name]
    if (act !== undefined) return { act, isOurs: true }
  }
  if (pending !== undefined) return { isOurs: key !== 'Tab' }
  const begins = layers.some((layer) => Object.keys(layer).some((each) => each.startsWith(`${key} `)))
  return begins ? { pending: key, isOurs: true } : { isOurs: false }
}

/** Held down, a key moves on and on; it never acts twice. */
export const mayRepeat = (key: string): boolean => ['j', 'k', 'ArrowDown', 'ArrowUp'].includes(key)
