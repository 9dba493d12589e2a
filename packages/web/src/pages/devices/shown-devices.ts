/** Which devices a list shows, in which order, and how each is said. Pure. */
import type { DeviceView } from '@careloop/contract'

export const deviceStates = ['connected', 'away', 'silent', 'unworn', 'low-battery'] as const
export type DeviceState = (typeof deviceStates)[number]

export const stateWords: Readonly<Record<DeviceState, string>> = {
  connected: 'Connected',
  away: 'Not connected',
  silent: 'Silent for a day',
  unworn: 'Nobody wears it',
  'low-battery': 'Battery low',
}

const dayMs = 86_400_000
export const lowPercent = 20

/** Also by somebody whom the reader does not see: then it is not free. */
export const isWorn = ({ worn, wornUnseen }: Pick<DeviceView, 'worn' | 'wornUnseen'>): boolean =>
  worn !== null || wornUnseen === true

/** What it told of its battery, percent. */
export function batteryOf({ attributes }: Pick<DeviceView, 'attributes'>): number | undefined {
  const said = attributes['battery-level'] ?? attributes.battery ?? attributes.batteryLevel
  return typeof said === 'number' ? said : undefined
}

export function isIn(state: DeviceState, device: DeviceView, heardAt: number | undefined, now: number): boolean {
  if (state === 'connected') return device.connected
  // A device that posts by HTTP never connects: that is no fault.
  if (state === 'away') return !device.connected && device.lastConnectedAt !== null
  if (state === 'silent') return now - (heardAt ?? Number.NEGATIVE_INFINITY) > dayMs
  if (state === 'unworn') return !isWorn(device)
  return (batteryOf(device) ?? 100) <= lowPercent
}

interface Filter {
  readonly text: string
  readonly state: DeviceState | undefined
}

/** Each word must stand in the name, profile, serial number, maker or model; by name. */
export function shownDevices(
  devices: readonly DeviceView[],
  heard: ReadonlyMap<string, number>,
  { text, state }: Filter,
  now: number,
): readonly DeviceView[] {
  const words = text.toLowerCase().split(/\s+/).filter(Boolean)
  return devices
    .filter((device) => state === undefined || isIn(state, device, heard.get(device.id), now))
    .filter((device) => words.every((word) => textOf(device).includes(word)))
    .toSorted((a, b) => a.name.localeCompare(b.name, undefined, { numeric: true }))
}

const textOf = ({ name, profile, serial, manufacturer, model, classification }: DeviceView): string =>
  [name, profile, serial, manufacturer, model, classification].join(' ').toLowerCase()
