/** Single keys that act, as people at a worklist want them; switched off by who prefers it (WCAG 2.1.4). */
import { useEffect, useRef, useSyncExternalStore } from 'react'

export type Keys = Readonly<Record<string, (() => void) | undefined>>

/** Keys are `event.key`: `j`, `?`, `/`, `Escape`. Not while typing, not with a modifier, not below an open dialog. */
export function useKeys(keys: Keys): void {
  const latest = useRef(keys)
  latest.current = keys
  useEffect(() => {
    const press = (event: KeyboardEvent) => {
      if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target)) return
      if (document.querySelector('[role="dialog"][aria-modal="true"]') !== null) return
      if (event.key !== 'Escape' && !keysAreOn()) return
      const act = latest.current[event.key]
      if (act === undefined) return
      event.preventDefault()
      act()
    }
    document.addEventListener('keydown', press)
    return () => document.removeEventListener('keydown', press)
  }, [])
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
