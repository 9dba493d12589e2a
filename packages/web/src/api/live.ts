/**
 * The live channel: facts as server-sent events, read by fetch rather than EventSource, because EventSource hides the server's
 * heartbeat and a page that is silently no longer live is a hazard here. Silence for 40 s counts as disconnected.
 */
import type { FactBodies, FactType } from '@careloop/contract'

/** `since` is this machine's clock: when the channel was last known to hear. */
export type LiveState =
  | { readonly is: 'connecting' }
  | { readonly is: 'live' }
  | { readonly is: 'disconnected'; readonly since: number }
  | { readonly is: 'signed-out' }
  /** The session is locked: nothing is heard until somebody unlocks it. */
  | { readonly is: 'locked' }

export type LiveEvent =
  | { readonly [T in FactType]: { readonly type: T; readonly body: FactBodies[T] } }[FactType]
  /** Something may have been missed: read everything again. */
  | { readonly type: 'everything' }

/** The server says that it is still there every 15 s. */
export const silenceMs = 40_000
const longestPauseMs = 15_000

/** Follows until `signal` aborts; comes back by itself with the last position, so that nothing is missed between. */
export async function followLive(
  onEvent: (event: LiveEvent) => void,
  onState: (state: LiveState) => void,
  signal: AbortSignal,
): Promise<void> {
  let last: string | undefined
  let heardAt = Date.now()
  let pauseMs = 500
  onState({ is: 'connecting' })
  while (!signal.aborted) {
    const end = await listen(last, signal, (message) => {
      heardAt = Date.now()
      if (message === null) return
      if (message.event === 'ready') {
        pauseMs = 500
        onState({ is: 'live' })
      }
      if (message.id !== undefined) last = message.id
      onEvent(eventOf(message))
    })
    if (signal.aborted) return
    if (end !== 'ended') return onState({ is: end })
    onState({ is: 'disconnected', since: heardAt })
    await pause(pauseMs, signal)
    pauseMs = Math.min(pauseMs * 2, longestPauseMs)
  }
}

function eventOf(message: Message): LiveEvent {
  if (message.event === 'ready' || message.event === 'reset') return { type: 'everything' }
  return { type: message.event as FactType, body: JSON.parse(message.data) } as LiveEvent
}

/** One connection until it ends. `hear(null)` = a heartbeat. */
async function listen(
  last: string | undefined,
  signal: AbortSignal,
  hear: (message: Message | null) => void,
): Promise<'ended' | 'signed-out' | 'locked'> {
  const silent = new AbortController()
  let watchdog = setTimeout(() => silent.abort(), silenceMs)
  try {
    const response = await fetch('/api/v1/live', {
      headers: { accept: 'text/event-stream', ...(last === undefined ? {} : { 'last-event-id': last }) },
      credentials: 'same-origin',
      cache: 'no-store',
      signal: AbortSignal.any([signal, silent.signal]),
    })
    if (response.status === 401) return 'signed-out'
    if (response.status === 423) return 'locked'
    if (!response.ok || response.body === null) return 'ended'
    const take = messages(hear)
    for await (const text of chunks(response.body)) {
      clearTimeout(watchdog)
      watchdog = setTimeout(() => silent.abort(), silenceMs)
      take(text)
    }
  } catch {
    // The network's reasons differ by browser and say nothing more than that it ended.
  } finally {
    clearTimeout(watchdog)
  }
  return 'ended'
}

async function* chunks(body: ReadableStream<Uint8Array<ArrayBuffer>>): AsyncGenerator<string> {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader()
  for (;;) {
    const { done, value } = await reader.read()
    if (done) return
    yield value
  }
}

export interface Message {
  readonly event: string
  readonly data: string
  readonly id?: string
}

/** Cuts text into messages as HTML's "server-sent events" says; a comment is heard as null. */
export function messages(hear: (message: Message | null) => void): (text: string) => void {
  let rest = ''
  return (text) => {
    const blocks = (rest + text).split('\n\n')
    rest = blocks.pop() ?? ''
    for (const block of blocks) hear(messageOf(block))
  }
}

function messageOf(block: string): Message | null {
  const fields = new Map<string, string>()
  for (const line of block.split('\n')) {
    const at = line.indexOf(':')
    if (at > 0) fields.set(line.slice(0, at), line.slice(at + 1).replace(/^ /, ''))
  }
  const event = fields.get('event')
  if (event === undefined) return null
  const id = fields.get('id')
  return { event, data: fields.get('data') ?? '{}', ...(id === undefined ? {} : { id }) }
}

const pause = (ms: number, signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer)
      removeEventListener('online', done)
      resolve()
    }
    const timer = setTimeout(done, ms)
    // The browser knows when the network is back: no need to wait the pause out.
    addEventListener('online', done)
    signal.addEventListener('abort', done, { once: true })
  })
