/**
 * What a device's row holds sealed, as JSON under the tenant's key: serial number and model, settings, what it said of itself,
 * and why its history was corrected. All of it may lead to a person or be free text.
 */
import type { DataKey, Engine } from '../engine/index.ts'

export type SealedPart = 'identity' | 'settings' | 'attributes' | 'correction'

export const tenantKey = (engine: Engine, tenant: string): Promise<DataKey> => engine.keys.keyFor('tenant', tenant)

const aadOf = (part: SealedPart, device: string): string => `device-${part}:${device}`

export const sealPart = (key: DataKey, part: SealedPart, device: string, value: unknown): Buffer =>
  key.seal(Buffer.from(JSON.stringify(value)), aadOf(part, device))

/** @throws Failure `seal-broken` */
export const openPart = <T>(key: DataKey, part: SealedPart, device: string, sealed: Uint8Array): T =>
  JSON.parse(key.open(sealed, aadOf(part, device)).toString()) as T
