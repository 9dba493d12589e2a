/** The live channel's state for every page: connected while signed in, and a hook that says since when not. */
import { useQueryClient } from '@tanstack/react-query'
import { createContext, type ReactNode, useContext, useEffect, useState } from 'react'
import { followLive, type LiveState } from '../api/live.ts'
import { makeRefresher } from '../api/queries.ts'

const Live = createContext<LiveState>({ is: 'connecting' })

export const useLive = (): LiveState => useContext(Live)

interface LiveProviderProps {
  readonly children: ReactNode
  /** The session ended while the page was open. */
  readonly onSignedOut: () => void
  readonly onLocked: () => void
}

export function LiveProvider({ children, onSignedOut, onLocked }: LiveProviderProps) {
  const client = useQueryClient()
  const [state, setState] = useState<LiveState>({ is: 'connecting' })
  useEffect(() => {
    const ending = new AbortController()
    // The first of several failed attempts says since when: later ones must not move it.
    const tell = (next: LiveState) =>
      setState((before) => (before.is === 'disconnected' && next.is === 'disconnected' ? before : next))
    void followLive(makeRefresher(client), tell, ending.signal)
    return () => ending.abort()
  }, [client])
  useEffect(() => {
    if (state.is === 'signed-out') onSignedOut()
    if (state.is === 'locked') onLocked()
  }, [state.is, onSignedOut, onLocked])
  return <Live value={state}>{children}</Live>
}
