/** The live channel of a wall screen: that something changed, without saying what; and that the screen was ended. */

export type ScreenState = 'connecting' | 'live' | 'disconnected' | 'over'

/** The server writes at least every 12 s. */
const silenceMs = 30_000
const pauseMs = 1_000

/** Follows until `signal` aborts or the screen was revoked or has expired. */
export async function followDisplay(
  onChange: () => void,
  onState: (state: ScreenState) => void,
  signal: AbortSignal,
): Promise<void> {
  while (!signal.aborted) {
    const isOver = await listen(onChange, onState, signal)
    if (signal.aborted) return
    if (isOver) return onState('over')
    onState('disconnected')
    await new Promise((go) => setTimeout(go, pauseMs))
  }
}

/** @returns whether the screen counts no more; else the connection was lost */
async function listen(
  onChange: () => void,
  onState: (state: ScreenState) => void,
  signal: AbortSignal,
): Promise<boolean> {
  const silent = new AbortController()
  let watchdog = setTimeout(() => silent.abort(), silenceMs)
  try {
    const response = await fetch('/api/v1/display/live', {
      headers: { accept: 'text/event-stream' },
      credentials: 'same-origin',
      cache: 'no-store',
      signal: AbortSignal.any([signal, silent.signal]),
    })
    if (response.status === 401 || response.status === 403) return true
    if (!response.ok || response.body === null) return false
    onState('live')
    const reader = response.body.pipeThrough(new TextDecoderStream()).getReader()
    for (;;) {
      const { done, value } = await reader.read()
      if (done) return false
      clearTimeout(watchdog)
      watchdog = setTimeout(() => silent.abort(), silenceMs)
      if (/^event: /m.test(value)) onChange()
    }
  } catch {
    return false
  } finally {
    clearTimeout(watchdog)
  }
}
