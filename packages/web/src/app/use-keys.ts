/** Single keys that act, as people at a worklist want them; switched off by who prefers it (WCAG 2.1.4). */
import { useEffect, useRef, useSyncExternalStore } from 'react'
import { type Keys, mayRepeat, meaningOf } from './key-sequence.ts'

export type { Keys } from './key-sequence.ts'

type Layer = { current: Keys }
const layers: Layer[] = []
let pending: string | undefined
let pendingUntil = 0
const secondKeyMs = 2_000

/**
 * Keys are `event.key` (`j`, `?`, `Escape`) or two of them (`g w`). Not while typing, not with a modifier, not below an open
 * dialog. Of two hooks with one key the one mounted last acts.
 */
export function useKeys(keys: Keys): void {
  const latest = useRef(keys)
  latest.current = keys
  useEffect(() => {
    if (layers.length === 0) document.addEventListener('keydown', press)
    layers.push(latest)
    return () => {
      layers.splice(layers.indexOf(latest), 1)
      if (layers.length === 0) document.removeEventListener('keydown', press)
    }
  }, [])
}

function press(event: KeyboardEvent): void {
  if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target)) return
  // A dialog that closes on Escape is gone when this hears of the press: its target tells that it was meant for it.
  if (event.target instanceof Element && event.target.closest('[role="dialog"], [role="menu"]') !== null) return
  if (document.querySelector('[role="dialog"][aria-modal="true"], [role="menu"]') !== null) return
  if (event.key !== 'Escape' && !keysAreOn()) return
  if (['Shift', 'Control', 'Alt', 'Meta'].includes(event.key)) return
  const first = performance.now() < pendingUntil ? pending : undefined
  const meaning = meaningOf(first, event.key, layers.map((layer) => layer.current).toReversed())
  pending = meaning.pending
  pendingUntil = performance.now() + secondKeyMs
  if (!meaning.isOurs) return
  const isWanted = event.repeat && !mayRepeat(event.key) ? true : meaning.act?.() !== false
  if (isWanted) event.preventDefault()
}

const isTyping = (target: EventTarget | null): boolean =>
  target instanceof HTMLElement &&
  (target.isContentEditable || target.matches('textarea, select, input:not([type="checkbox"], [type="radio"])'))

const stored = 'careloop-keys'
const listeners = new Set<() => void>()

const keysAreOn = (): boolean => localStorage.getItem(stored) !== 'off'

export function setKeysOn(on: boolean): void {
  localStorage.setItem(stored, on ? 'on' : 'off')
  for (const each of listeners) each()
}

export const useKeysOn = (): boolean =>
  useSyncExternalStore((listener) => {
    listeners.add(listener)
    return () => listeners.delete(listener)
  }, keysAreOn)
