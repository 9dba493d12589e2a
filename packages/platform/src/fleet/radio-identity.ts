/**
 * What a device's plate holds for its radio: the address it sends under and the key its advertisements are encrypted with. Both
 * are sealed; the address can be looked up by its HMAC under the tenant's key.
 */
import type { DeviceUpdate } from '@careloop/contract'
import type { DataKey, Engine } from '../engine/index.ts'
import type { ListedDevice } from './directory.ts'
import { openPart, tenantKey } from './sealed-parts.ts'

/** What is printed on a device and programmed into it, as it stands sealed in `tenant.device.identity`. */
export interface DevicePlate {
  readonly serial?: string | undefined
  readonly manufacturer?: string | undefined
  readonly model?: string | undefined
  /** Lower-case hex without separators. */
  readonly address?: string | undefined
  /** 32 hex digits. */
  readonly bindKey?: string | undefined
}

/** What decoding a frame takes. */
export interface RadioIdentity {
  /** Bluetooth address (12) or DevEUI (16 hex digits), lower case. */
  readonly address?: string
  /** 16 bytes. Never log it. */
  readonly bindKey?: Uint8Array
}

/** @param kept the bind key that stands, for a change that does not name one */
export function plateOf(wanted: DeviceUpdate, kept: string | undefined): DevicePlate {
  const { serial, manufacturer, model, address, bindKey } = wanted
  return {
    ...{ serial, manufacturer, model },
    address: address === undefined ? undefined : bareAddress(address),
    bindKey: bindKey === undefined ? kept : (bindKey?.toLowerCase() ?? undefined),
  }
}

export const bareAddress = (address: string): string => address.replace(/[^0-9A-Fa-f]/g, '').toLowerCase()

/** How an address stands in the index; null without one. */
export const addressHmac = async (
  engine: Engine,
  tenant: string,
  address: string | undefined,
): Promise<Buffer | null> =>
  address === undefined ? null : engine.keys.hmac(tenant, 'device-address', bareAddress(address))

export const openPlate = (key: DataKey, device: string, sealed: Uint8Array): DevicePlate =>
  openPart<DevicePlate>(key, 'identity', device, sealed)

export type ReadRadio = (device: ListedDevice) => RadioIdentity

/** For doors, which must know it in the tick in which a frame comes: only the key has to be waited for. */
export async function radioReader(engine: Engine, tenant: string): Promise<ReadRadio> {
  const key = await tenantKey(engine, tenant)
  return ({ device, identity }) => {
    const { address, bindKey } = openPlate(key, device, identity)
    return {
      ...(address === undefined ? {} : { address }),
      ...(bindKey === undefined ? {} : { bindKey: Buffer.from(bindKey, 'hex') }),
    }
  }
}
