/** What network servers say in their own words, brought into one: an uplink, or an event that carries no payload. */
import type { DecodedFrame, EpochMs } from '@careloop/contract'
import { isObject, type JsonObject, numberAt } from '../envelope.ts'
import { fail } from '../errors.ts'

export interface Uplink {
  readonly fPort: number
  /** Where the port stands in the event, for refusals by the device's codec. */
  readonly fPortPointer: string
  readonly payload: Uint8Array
  /** When the network heard it. */
  readonly time?: EpochMs
  readonly attributes: Readonly<Record<string, string | number | boolean>>
  /** Radio of the gateway that heard it best. */
  readonly rssi?: number
  readonly snr?: number
  readonly warnings: readonly string[]
}

/** Something of the network about the device that carries no payload: it joined, its battery state. */
export type NetworkEvent = DecodedFrame

export interface Heard {
  readonly rssi?: number
  readonly snr?: number
}

export function gatewaysOf(value: unknown, pointer: string): readonly Heard[] {
  if (value === undefined || value === null) return []
  if (!Array.isArray(value)) throw fail('frame-invalid', 'Send a list of gateways here.', { pointer })
  return value.map((gateway: unknown, index): Heard => {
    const at = `${pointer}/${index}`
    if (!isObject(gateway)) throw fail('frame-invalid', 'Send a JSON object here.', { pointer: at })
    const rssi = numberAt(gateway, 'rssi', `${at}/rssi`)
    const snr = numberAt(gateway, 'snr', `${at}/snr`)
    return { ...(rssi === undefined ? {} : { rssi }), ...(snr === undefined ? {} : { snr }) }
  })
}

/** Of several gateways the one that heard the device best. */
export function best(gateways: readonly Heard[]): Heard {
  return gateways.reduce<Heard>(
    (kept, next) => ((next.rssi ?? -999) > (kept.rssi ?? -999) ? next : kept),
    gateways[0] ?? {},
  )
}

export function portAt(object: JsonObject, key: string, pointer: string): number {
  const port = numberAt(object, key, pointer) ?? 0
  if (Number.isInteger(port) && port >= 0 && port <= 255) return port
  throw fail('frame-invalid', 'A port is a whole number from 0 to 255.', { pointer })
}

export function counterAt(object: JsonObject, key: string, pointer: string): number {
  const counter = numberAt(object, key, pointer) ?? 0
  if (Number.isInteger(counter) && counter >= 0 && counter <= 0xffff_ffff) return counter
  throw fail('frame-invalid', 'A frame counter is a whole number of 32 bits.', { pointer })
}

export const definedText = (object: JsonObject, key: string, name = key): Record<string, string> => {
  const value = object[key]
  return typeof value === 'string' ? { [name]: value } : {}
}
