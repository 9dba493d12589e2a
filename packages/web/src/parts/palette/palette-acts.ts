/** Acts of the page that is open, so that the palette can do them: each page says its own while it is there. */
import { useEffect, useRef, useSyncExternalStore } from 'react'

export interface PaletteAct {
  readonly id: string
  readonly label: string
  /** The single key that does it too. */
  readonly key?: string
  /** Why not; null = possible. */
  readonly why: string | null
  readonly run: () => void
}

type Layer = { current: readonly PaletteAct[] }
let layers: readonly Layer[] = []
const listeners = new Set<() => void>()

function put(next: readonly Layer[]): void {
  layers = next
  for (const each of listeners) each()
}

export function usePaletteActs(acts: readonly PaletteAct[]): void {
  const latest = useRef(acts)
  latest.current = acts
  useEffect(() => {
    put([...layers, latest])
    return () => put(layers.filter((each) => each !== latest))
  }, [])
}

/** As they are at this moment. */
export function useActsOfPage(): readonly PaletteAct[] {
  const now = useSyncExternalStore(
    (listener) => {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    () => layers,
  )
  return now.flatMap(({ current }) => current)
}
