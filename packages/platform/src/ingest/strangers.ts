/**
 * Messages that somebody with a right to send brought for a device that we do not know: a gateway's batch, a network server's
 * event. They are kept without a device; once it is enrolled, replaying finds it by the name or address that the message gives.
 */
import type { FrameFormat, FrameQuarantined } from '@careloop/contract'
import { profile } from '@careloop/profiles'
import type { Attribution, ListedDevice } from '../fleet/index.ts'
import { readEnvelope } from './decode/network-envelope.ts'

export type Stranger = Omit<FrameQuarantined, 'kind' | 'id' | 'device'>

const TOPIC = /^devices\/([^/]{1,64})\/telemetry$/

/** The topic on which the device itself would have sent: names it inside the sealed row. */
export const topicOf = (nameOrId: string): string => `devices/${nameOrId}/telemetry`

/** How a message of a batch is to be read: `{values}` is JSON whatever the device; else as its profile says. */
export function formatOf(message: Readonly<Record<string, unknown>>, profileCode: string | undefined): FrameFormat {
  if (message.values !== undefined || profileCode === undefined) return 'json'
  return profile(profileCode)?.formats[0] ?? 'json'
}

/** The device of a message that was kept without one, as far as it is enrolled now, and how its bytes are to be read. */
export async function recognise(
  attribution: Attribution,
  tenant: string,
  aside: { readonly topic?: string; readonly bytes: Buffer; readonly format: FrameFormat },
): Promise<{ readonly device: ListedDevice; readonly format: FrameFormat } | undefined> {
  const named = TOPIC.exec(aside.topic ?? '')?.[1]
  if (named !== undefined) {
    const device = await attribution.named(tenant, named)
    return device && { device, format: formatOf(JSON.parse(aside.bytes.toString()), device.profile) }
  }
  const devEui = readEnvelope(aside.bytes)?.devEui
  const device = devEui ? await attribution.addressed(tenant, devEui) : undefined
  return device && { device, format: aside.format }
}
