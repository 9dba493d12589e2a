import { type DecodedFrame, isPlausible, signal, toCanonical } from '@careloop/contract'
import { describe, expect, test } from 'vitest'
import { profile } from '../catalog.ts'
import { hex, json, refusal, vectorsOf } from '../testing/material.ts'

interface AdvertVector {
  readonly id: string
  readonly parser_options?: { readonly bindkey?: string }
  readonly input: { readonly adverts: readonly Record<string, unknown>[] }
  readonly expected: {
    readonly supported?: boolean
    readonly values?: Record<string, { readonly value: unknown; readonly unit?: string | null }>
    readonly binary?: Record<string, { readonly value: boolean }>
    readonly events?: Record<
      string,
      { readonly event_type: string; readonly properties: { readonly steps: number } | null }
    >
  }
}

interface HciVector {
  readonly id: string
  readonly input: { readonly hci_hex: string; readonly extra?: { readonly aeskey?: string } }
  readonly expected: Record<string, string | number>
}

/** The materials' names for our signals. */
const SIGNALS: Readonly<Record<string, string>> = {
  temperature: 'temperature-ambient',
  pressure: 'pressure-air',
  voltage: 'voltage',
  movement_counter: 'movement-counter',
  acceleration_x: 'acceleration-x',
  acceleration_y: 'acceleration-y',
  acceleration_z: 'acceleration-z',
  acceleration_total: 'acceleration',
  nox_index: 'nox-index',
  voc_index: 'voc-index',
  pm25: 'pm2-5',
  'pm2.5': 'pm2-5',
  carbon_dioxide: 'co2',
  battery: 'battery-level',
  dew_point: 'dew-point',
  dewpoint: 'dew-point',
  volume_flow_rate: 'volume-flow-rate',
  gas: 'gas-volume',
  rotational_speed: 'rotational-speed',
  signal_strength: 'signal-strength',
  rssi: 'signal-strength',
  weight: 'mass',
  tvoc: 'voc',
  power: 'power',
  switch: 'power-on',
  'battery low': 'battery-low',
  'carbon monoxide': 'carbon-monoxide-detected',
  door: 'door-open',
  'garage door': 'garage-door-open',
  lock: 'unlocked',
  'distance mm': 'distance',
}

/** Units in which the materials tell what we keep in another. */
const IN_THEIR_UNIT: Readonly<Record<string, number>> = {
  MASS_POUNDS: 1 / 0.45359237,
  VOLUME_MILLILITERS: 1000,
  'distance mm': 1000,
}

/** Our canonical value of a signal; null when absent. */
function canonical(frame: DecodedFrame, code: string): number | null | undefined {
  const reading = frame.readings.find((each) => each.signal === code)
  if (reading === undefined) return undefined
  const value = toCanonical(reading.signal, reading.value, reading.unit)?.value
  return typeof value === 'number' ? value : null
}

function expectValue(frame: DecodedFrame, name: string, value: unknown, unit?: string | null): void {
  const code = SIGNALS[name] ?? name.replaceAll('_', '-')
  expect(signal(code), name).toBeDefined()
  const ours = canonical(frame, code)
  if (value === null) expect(ours, name).toBeNull()
  // The materials round to as many digits as they show.
  else
    expect(Number(ours) * (IN_THEIR_UNIT[unit ?? name] ?? 1), name).toBeCloseTo(
      Number(value),
      decimalsOf(Number(value)),
    )
}

const decimalsOf = (value: number): number => Math.min((String(value).split('.')[1] ?? '').length, 4)

const BUTTONS = ['none', 'press', 'double_press', 'triple_press', 'long_press']

function expectAdvert(frame: DecodedFrame, expected: AdvertVector['expected'], isRuuvi: boolean): void {
  for (const [name, { value, unit }] of Object.entries(expected.values ?? {})) {
    // Without an RSSI in the vector, the source's test harness supplies -60; it is not the device's.
    if (name === 'signal_strength') continue
    if (name === 'packet_id') expect(frame.attributes?.packetId).toBe(value)
    else if (name === 'timestamp') expect(frame.attributes?.timestamp).toBe('2023-05-14T19:41:17.000Z')
    else if (isRuuvi && name === 'voltage') expectValue(frame, 'battery-voltage', Number(value) / 1000)
    else expectValue(frame, name, value, unit)
  }
  for (const [name, { value }] of Object.entries(expected.binary ?? {})) {
    expectValue(frame, name === 'power' ? 'switch' : name, Number(value))
  }
  for (const [name, event] of Object.entries(expected.events ?? {})) {
    const left = event.event_type === 'rotate_left'
    if (event.properties) expectValue(frame, 'dimmer-steps', left ? -event.properties.steps : event.properties.steps)
    else expectValue(frame, name, BUTTONS.indexOf(event.event_type))
  }
}

const adverts = ['ruuvitag-ble', 'bthome-ble'].flatMap((file) =>
  vectorsOf<AdvertVector>(`ble-adv/${file}.json`).map((vector) => ({
    ...vector,
    code: file === 'bthome-ble' ? 'bthome' : 'ruuvi',
  })),
)

describe.skipIf(adverts.length === 0)('advertisements of the shared material', () => {
  test.each(adverts)('$id', ({ code, expected, input, parser_options, id }) => {
    const bindKey = parser_options?.bindkey
    const context = bindKey === undefined ? {} : { bindKey: hex(bindKey) }
    for (const advert of input.adverts) {
      const decode = () => profile(code)!.decode!(json(advert), context)
      if (expected.supported === false || id.includes('bindkey_wrong')) {
        expect(refusal(decode).code).toBe('frame-encrypted')
      } else {
        expectAdvert(decode(), expected, code === 'ruuvi')
      }
    }
  })
})

const captures = vectorsOf<HciVector>('ble-adv/ble_monitor-hci.json').filter(({ id }) => /bthome|ruuvi/.test(id))
const AROUND = new Set(['firmware', 'type', 'mac', 'packet'])

describe.skipIf(captures.length === 0)('HCI captures of the shared material', () => {
  test.each(captures)('$id', ({ id, input, expected }) => {
    const key = input.extra?.aeskey
    const frame = profile(id.includes('ruuvi') ? 'ruuvi' : 'bthome')!.decode!(
      hex(input.hci_hex),
      key === undefined ? {} : { bindKey: hex(key) },
    )
    expect(frame.attributes?.address).toBe(String(expected.mac).toLowerCase())
    for (const [name, value] of Object.entries(expected)) {
      if (AROUND.has(name)) continue
      if (name === 'text') expect(frame.attributes?.text).toBe(value)
      else expectValue(frame, name, value)
    }
    for (const reading of frame.readings)
      expect(isPlausible(reading.signal, canonical(frame, reading.signal) ?? 0)).toBe(true)
  })
})
