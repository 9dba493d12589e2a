/**
 * The objects of BTHome (bthome.io/format): number -> what it means. Versions 1 and 2 share the numbers.
 * A number is `raw x times / per`, so that 2506 / 100 is 25.06 and not 25.060000000000002.
 */
import type { SignalCode } from '@careloop/contract'

export type BtHomeObject =
  | {
      readonly kind: 'number'
      readonly signal: SignalCode
      readonly unit: string
      readonly bytes: number
      readonly signed: boolean
      readonly per: number
      readonly times: number
    }
  /** 0 or 1; any other number counts as 1. */
  | { readonly kind: 'state'; readonly signal: SignalCode }
  | { readonly kind: 'button' }
  | { readonly kind: 'dimmer' }
  | { readonly kind: 'packet-id' }
  | { readonly kind: 'timestamp' }
  /** Length byte, then that many bytes. */
  | { readonly kind: 'text' | 'raw' }
  /** A fact about the device. */
  | { readonly kind: 'attribute'; readonly name: string; readonly bytes: number; readonly form: 'number' | 'version' }

type Row = readonly [
  id: number,
  signal: SignalCode,
  unit: string,
  bytes: number,
  per: number,
  signed?: 'signed',
  times?: number,
]

const numbers: readonly Row[] = [
  [0x01, 'battery-level', '%', 1, 1],
  [0x02, 'temperature-ambient', 'Cel', 2, 100, 'signed'],
  [0x03, 'humidity', '%', 2, 100],
  [0x04, 'pressure-air', 'hPa', 3, 100],
  [0x05, 'illuminance', 'lx', 3, 100],
  [0x06, 'mass', 'kg', 2, 100],
  [0x07, 'mass', '[lb_av]', 2, 100],
  [0x08, 'dew-point', 'Cel', 2, 100, 'signed'],
  [0x09, 'count', '1', 1, 1],
  [0x0a, 'energy', 'kW.h', 3, 1000],
  [0x0b, 'power', 'W', 3, 100],
  [0x0c, 'voltage', 'V', 2, 1000],
  [0x0d, 'pm2-5', 'ug/m3', 2, 1],
  [0x0e, 'pm10', 'ug/m3', 2, 1],
  [0x12, 'co2', '[ppm]', 2, 1],
  [0x13, 'voc', 'ug/m3', 2, 1],
  [0x14, 'moisture', '%', 2, 100],
  [0x2e, 'humidity', '%', 1, 1],
  [0x2f, 'moisture', '%', 1, 1],
  [0x3d, 'count', '1', 2, 1],
  [0x3e, 'count', '1', 4, 1],
  [0x3f, 'rotation', 'deg', 2, 10, 'signed'],
  [0x40, 'distance', 'mm', 2, 1],
  [0x41, 'distance', 'm', 2, 10],
  [0x42, 'duration', 's', 3, 1000],
  [0x43, 'current', 'A', 2, 1000],
  [0x44, 'speed', 'm/s', 2, 100],
  [0x45, 'temperature-ambient', 'Cel', 2, 10, 'signed'],
  [0x46, 'uv-index', '1', 1, 10],
  [0x47, 'volume', 'L', 2, 10],
  [0x48, 'volume', 'mL', 2, 1],
  [0x49, 'volume-flow-rate', 'm3/h', 2, 1000],
  [0x4a, 'voltage', 'V', 2, 10],
  [0x4b, 'gas-volume', 'm3', 3, 1000],
  [0x4c, 'gas-volume', 'm3', 4, 1000],
  [0x4d, 'energy', 'kW.h', 4, 1000],
  [0x4e, 'volume', 'L', 4, 1000],
  [0x4f, 'water-volume', 'L', 4, 1000],
  [0x51, 'acceleration', 'm/s2', 2, 1000],
  [0x52, 'gyroscope', 'deg/s', 2, 1000],
  [0x55, 'volume-stored', 'L', 4, 1000],
  [0x56, 'conductivity', 'uS/cm', 2, 1],
  [0x57, 'temperature-ambient', 'Cel', 1, 1, 'signed'],
  [0x58, 'temperature-ambient', 'Cel', 1, 100, 'signed', 35],
  [0x59, 'count', '1', 1, 1, 'signed'],
  [0x5a, 'count', '1', 2, 1, 'signed'],
  [0x5b, 'count', '1', 4, 1, 'signed'],
  [0x5c, 'power', 'W', 4, 100, 'signed'],
  [0x5d, 'current', 'A', 2, 1000, 'signed'],
  [0x5e, 'direction', 'deg', 2, 100],
  [0x5f, 'precipitation', 'mm', 2, 10],
  [0x61, 'rotational-speed', '{rpm}', 2, 1],
  [0x62, 'speed', 'm/s', 4, 1_000_000, 'signed'],
  [0x63, 'acceleration', 'm/s2', 4, 1_000_000, 'signed'],
  [0x64, 'light-level', '1', 1, 1],
]

const states: readonly (readonly [id: number, signal: SignalCode])[] = [
  [0x0f, 'generic-state'],
  [0x10, 'power-on'],
  [0x11, 'opening-open'],
  [0x15, 'battery-low'],
  [0x16, 'battery-charging'],
  [0x17, 'carbon-monoxide-detected'],
  [0x18, 'cold'],
  [0x19, 'connectivity'],
  [0x1a, 'door-open'],
  [0x1b, 'garage-door-open'],
  [0x1c, 'gas-detected'],
  [0x1d, 'heat'],
  [0x1e, 'light-detected'],
  [0x1f, 'unlocked'],
  [0x20, 'moisture-detected'],
  [0x21, 'motion'],
  [0x22, 'moving'],
  [0x23, 'occupancy'],
  [0x24, 'plug'],
  [0x25, 'presence'],
  [0x26, 'problem'],
  [0x27, 'running'],
  [0x28, 'safety'],
  [0x29, 'smoke'],
  [0x2a, 'sound'],
  [0x2b, 'tamper'],
  [0x2c, 'vibration'],
  [0x2d, 'window-open'],
]

export const btHomeObjects: ReadonlyMap<number, BtHomeObject> = new Map<number, BtHomeObject>([
  ...numbers.map(([id, signal, unit, bytes, per, signed, times]): [number, BtHomeObject] => [
    id,
    { kind: 'number', signal, unit, bytes, per, signed: signed === 'signed', times: times ?? 1 },
  ]),
  ...states.map(([id, signal]): [number, BtHomeObject] => [id, { kind: 'state', signal }]),
  [0x00, { kind: 'packet-id' }],
  [0x3a, { kind: 'button' }],
  [0x3c, { kind: 'dimmer' }],
  [0x50, { kind: 'timestamp' }],
  [0x53, { kind: 'text' }],
  [0x54, { kind: 'raw' }],
  [0x60, { kind: 'attribute', name: 'channel', bytes: 1, form: 'number' }],
  [0xf0, { kind: 'attribute', name: 'deviceType', bytes: 2, form: 'number' }],
  [0xf1, { kind: 'attribute', name: 'firmware', bytes: 4, form: 'version' }],
  [0xf2, { kind: 'attribute', name: 'firmware', bytes: 3, form: 'version' }],
])

/** Every signal that BTHome can give. */
export const btHomeSignals: readonly SignalCode[] = [
  ...new Set([
    ...numbers.map((row) => row[1]),
    ...states.map((row) => row[1]),
    'button',
    'dimmer-steps',
    'signal-strength',
  ]),
]
