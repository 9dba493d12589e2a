/** One soft tone for a new notification, off until somebody wants it. Not an alarm signal of IEC 60601-1-8: Careloop is none. */
import { useSyncExternalStore } from 'react'

const stored = 'careloop-sound'
const listeners = new Set<() => void>()
const isOn = (): boolean => localStorage.getItem(stored) === 'on'

export function setSoundOn(on: boolean): void {
  localStorage.setItem(stored, on ? 'on' : 'off')
  for (const each of listeners) each()
  // Heard at once by who switches it on; and a browser lets a page sound only after a person has acted on it.
  if (on) chime()
}

export const useSoundOn = (): boolean =>
  useSyncExternalStore((listener) => {
    listeners.add(listener)
    return () => listeners.delete(listener)
  }, isOn)

let audio: AudioContext | undefined

export function chime(): void {
  audio ??= new AudioContext()
  void audio.resume()
  const [tone, loudness] = [audio.createOscillator(), audio.createGain()]
  tone.frequency.value = 660
  loudness.gain.setValueAtTime(0, audio.currentTime)
  loudness.gain.linearRampToValueAtTime(0.15, audio.currentTime + 0.03)
  loudness.gain.exponentialRampToValueAtTime(0.001, audio.currentTime + 0.5)
  tone.connect(loudness).connect(audio.destination)
  tone.start()
  tone.stop(audio.currentTime + 0.5)
}
