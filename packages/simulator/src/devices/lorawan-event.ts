/**
 * A Milesight EM300-TH's payload and the event in which ChirpStack v4 hands it on. Sources: Milesight's user guide (channel 1
 * type 0x75 battery, 3/0x67 temperature in 0.1 Cel, 4/0x68 humidity in 0.5 %), ChirpStack v4 integration events in JSON.
 */
import type { EpochMs } from '@careloop/contract'
import { hash, within } from '../signals/noise.ts'

export interface Em300State {
  /** Cel. */
  readonly temperature: number
  /** %. */
  readonly humidity: number
  /** %. */
  readonly battery: number
}

export function em300Payload({ temperature, humidity, battery }: Em300State): Buffer {
  const bytes = Buffer.from([0x01, 0x75, 0, 0x03, 0x67, 0, 0, 0x04, 0x68, 0])
  bytes.writeUInt8(within(Math.round(battery), 0, 100), 2)
  bytes.writeInt16LE(Math.round(temperature * 10), 5)
  bytes.writeUInt8(within(Math.round(humidity * 2), 0, 200), 9)
  return bytes
}

export interface Uplink {
  readonly at: EpochMs
  readonly name: string
  readonly seed: number
  readonly payload: Buffer
  /** dBm. */
  readonly rssi: number
}

export function eventOfChirpStack({ at, name, seed, payload, rssi }: Uplink): Uint8Array {
  const hex = (n: number) => hash(seed, n).toString(16).padStart(8, '0')
  const event = {
    deduplicationId: `${hex(at)}-0000-4000-8000-0000${hex(at + 1)}`,
    time: new Date(at).toISOString(),
    deviceInfo: { applicationName: 'cold-chain', deviceName: name, devEui: `24e124${hex(11)}${hex(12).slice(0, 2)}` },
    devAddr: hex(13),
    dr: 3,
    fPort: 85,
    data: payload.toString('base64'),
    rxInfo: [{ gatewayId: `0016c001${hex(14)}`, rssi, snr: 8.2 }],
  }
  return Buffer.from(JSON.stringify(event))
}
