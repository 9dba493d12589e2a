/**
 * When this session is locked: after the idle time without a human being in any tab, at a person's wish, or when the server says so.
 * One tab that is used keeps all open; one that locks, locks all. The server counts for itself, by what is told it here.
 */
import { ApiError, allAnswered, call, onLocked } from '../api/client.ts'
import { endpoints } from '../api/endpoints.ts'

export type LockState = 'open' | 'locked'

type Told = 'active' | 'locked' | 'unlocked'

/** The server is told of activity at most so often; what comes in between is told at its end. */
const tellEveryMs = 30_000
const lookEveryMs = 5_000

let state: LockState = 'open'
let activeAt = Date.now()
let toldAt = 0
let telling: ReturnType<typeof setTimeout> | undefined
const listeners = new Set<() => void>()
const tabs = new BroadcastChannel('careloop-session')

export const lockState = (): LockState => state

export function onLockState(listener: () => void): () => void {
  listeners.add(listener)
  return () => void listeners.delete(listener)
}

/** Shows the lock screen in every tab. @param tell false when another tab, or the server, has said it */
export function showLocked(tell = true): void {
  if (tell) tabs.postMessage('locked' satisfies Told)
  set('locked')
}

/** After the server has taken the password, or after a sign-in. */
export function showOpen(tell = true): void {
  activeAt = toldAt = Date.now()
  if (tell) tabs.postMessage('unlocked' satisfies Told)
  set('open')
}

/** Told before a lock or a sign-out: what is not sent by now is refused afterwards. */
export const lockingEvent = 'careloop:locking'
const lastWordsMs = 2_000

/** Locks at a person's wish: on the server first, so that the page does not only look locked. @throws ApiError */
export async function lockNow(): Promise<void> {
  await hearLastWords()
  await call(endpoints.lock, {})
  showLocked()
}

/**
 * Ends the session on the server. Other tabs lock: what they show is of somebody who has left.
 * @throws ApiError when it could not be ended: then nobody is signed out, whatever a page shows
 */
/** @returns where to go to sign out at the organisation's identity provider too; null when the session did not begin there */
export async function signOutNow(): Promise<string | null> {
  await hearLastWords()
  // Asked while there is a session; that the provider cannot be reached keeps nobody signed in here.
  const { url } = await call(endpoints.leaveSso, {}).catch(() => ({ url: null }))
  await call(endpoints.signOut, {})
  tabs.postMessage('locked' satisfies Told)
  return url
}

async function hearLastWords(): Promise<void> {
  dispatchEvent(new Event(lockingEvent))
  await Promise.race([allAnswered(), new Promise((resolve) => setTimeout(resolve, lastWordsMs))])
}

function set(next: LockState): void {
  if (state === next) return
  state = next
  for (const each of listeners) each()
}

const humanSigns = ['pointerdown', 'pointermove', 'keydown', 'wheel', 'touchmove'] as const

/** Follows the human being at this screen until stopped. @param idleLockMs of the server */
export function watchForHumans(idleLockMs: number): () => void {
  const sign = (event: Event) => {
    // A script's own events are no human being.
    if (event.isTrusted && state === 'open') noteActivity()
  }
  const look = () => {
    if (state === 'open' && Date.now() - activeAt >= idleLockMs) void lockNow().catch(() => showLocked())
  }
  const heard = ({ data }: MessageEvent<Told>) => {
    if (data === 'active') activeAt = Date.now()
    else if (data === 'locked') showLocked(false)
    else showOpen(false)
  }
  const unhear = onLocked(() => showLocked())
  for (const name of humanSigns) addEventListener(name, sign, { passive: true, capture: true })
  document.addEventListener('visibilitychange', look) // timers rest while a machine sleeps
  tabs.addEventListener('message', heard)
  const timer = setInterval(look, Math.min(lookEveryMs, idleLockMs / 4))
  return () => {
    unhear()
    for (const name of humanSigns) removeEventListener(name, sign, { capture: true })
    document.removeEventListener('visibilitychange', look)
    tabs.removeEventListener('message', heard)
    clearInterval(timer)
    clearTimeout(telling)
    telling = undefined
  }
}

function noteActivity(): void {
  activeAt = Date.now()
  if (telling !== undefined) return
  telling = setTimeout(tellServer, Math.max(0, toldAt + tellEveryMs - activeAt))
}

function tellServer(): void {
  telling = undefined
  if (state === 'locked') return
  toldAt = Date.now()
  tabs.postMessage('active' satisfies Told)
  void call(endpoints.keepAwake, {}).catch((error: unknown) => {
    // Not reached: told again at the next sign. Whether this session still is, other requests find out.
    if (error instanceof ApiError && error.status === 0) toldAt = 0
  })
}
