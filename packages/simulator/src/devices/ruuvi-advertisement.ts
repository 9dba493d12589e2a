/** A RuuviTag's advertisement, data format 5 (RAWv2). Source: docs.ruuvi.com, data format 5. Fields are big-endian. */
import { hash, within } from '../signals/noise.ts'

export interface RuuviState {
  /** Cel. */
  readonly temperature: number
  /** %. */
  readonly humidity: number
  readonly pressureHPa: number
  readonly batteryMv: number
  /** Measurement sequence, 0 to 65534. */
  readonly counter: number
  readonly seed: number
}

/** The whole advertisement: flags, then manufacturer data of company 0x0499. */
export function ruuviAdvertisement(state: RuuviState): Uint8Array {
  const { seed } = state
  const bytes = Buffer.alloc(31)
  Buffer.from([0x02, 0x01, 0x06, 0x1b, 0xff, 0x99, 0x04, 0x05]).copy(bytes)
  bytes.writeInt16BE(Math.round(within(state.temperature, -163, 163) / 0.005), 8)
  bytes.writeUInt16BE(Math.round(within(state.humidity, 0, 100) / 0.0025), 10)
  bytes.writeUInt16BE(Math.round(state.pressureHPa * 100 - 50_000), 12)
  // It lies flat: 1 g downwards, and a little noise, in mg.
  bytes.writeInt16BE((hash(seed, state.counter) % 21) - 10, 14)
  bytes.writeInt16BE((hash(seed + 1, state.counter) % 21) - 10, 16)
  bytes.writeInt16BE(990 + (hash(seed + 2, state.counter) % 21), 18)
  const battery = within(Math.round(state.batteryMv) - 1600, 0, 2046)
  const transmitPower = 22 // 4 dBm: (4 + 40) / 2
  bytes.writeUInt16BE((battery << 5) | transmitPower, 20)
  bytes.writeUInt8(0, 22)
  bytes.writeUInt16BE(state.counter, 23)
  addressOf(seed).copy(bytes, 25)
  return bytes
}

/** A random static Bluetooth address: its two highest bits are set. */
const addressOf = (seed: number): Buffer => {
  const bytes = Buffer.alloc(6)
  bytes.writeUIntBE((hash(seed, 6) % 2 ** 14) * 2 ** 32 + hash(seed, 7), 0, 6)
  bytes[0]! |= 0xc0
  return bytes
}
