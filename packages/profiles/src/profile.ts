/**
 * A device model as data: what it measures, how its keys name signals, and how its bytes are read. Outsiders add devices here;
 * docs/profiles.md says how.
 */
import { type DecodedFrame, type EpochMs, type FrameFormat, signal } from '@careloop/contract'

/** What a device may do follows from this. The enrolled device decides; a profile says what its kind usually is. */
export type Classification = 'wellness' | 'operational' | 'medical' | 'cyber-device'

/** A signal that a device of this profile gives, and the JSON keys that stand for it. */
export interface ProfileSignal {
  readonly signal: string
  /** UCUM code of the numbers the device sends when it says no unit. */
  readonly unit: string
  /** Keys in JSON payloads; the signal's own code is always one. */
  readonly keys?: readonly string[]
}

/** What a codec may know besides the bytes. */
export interface DecodeContext {
  /** AES-128 key of an encrypted advertisement, 16 bytes. With a key set, frames in the clear are refused. */
  readonly bindKey?: Uint8Array
  /** Bluetooth address or DevEUI of the enrolled device, hex, separators allowed: frames that name another are refused. */
  readonly address?: string
  /** When the door received the frame; needed where a device sends only part of a time. */
  readonly receivedAt?: EpochMs
}

export interface Profile {
  readonly code: string
  readonly name: string
  readonly manufacturer?: string
  readonly classification: Classification
  readonly signals: readonly ProfileSignal[]
  /** What may come on the wire: `profile` = raw bytes for `decode`; `json` and `senml` are read by key. The first is the default. */
  readonly formats: readonly FrameFormat[]
  /** The signal and unit that a JSON key stands for. One Map read. */
  find(key: string): { readonly signal: string; readonly unit: string } | undefined
  /** @throws Failure `frame-*` of errors.ts, with a pointer. Never anything else, whatever the bytes. */
  decode?(bytes: Uint8Array, context?: DecodeContext): DecodedFrame
}

export type ProfileData = Omit<Profile, 'find'>

/** Makes a profile of its data. A key that stands for two signals, or a signal nobody knows, is a bug in the data. */
export function defineProfile(data: ProfileData): Profile {
  const byKey = new Map<string, { readonly signal: string; readonly unit: string }>()
  for (const { signal: code, unit, keys } of data.signals) {
    if (signal(code) === undefined) throw new Error(`profile ${data.code}: no signal ${code}`)
    const named = { signal: code, unit }
    for (const key of new Set([code, ...(keys ?? [])])) {
      if (byKey.has(key)) throw new Error(`profile ${data.code}: key ${key} stands for two signals`)
      byKey.set(key, named)
    }
  }
  return { ...data, find: (key) => byKey.get(key) }
}

/** The signals of a codec in their canonical units, for profiles whose JSON keys are the signals' own codes. */
export const plainSignals = (codes: readonly string[]): readonly ProfileSignal[] =>
  codes.map((code) => ({ signal: code, unit: signal(code)?.unit ?? '' }))
