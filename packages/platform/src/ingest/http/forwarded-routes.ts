/**
 * The HTTP door of those who bring other devices' messages: LoRaWAN network servers and gateways, each with a service token of
 * scope `reading:create`. Whatever can be kept is answered with 202, also what is set aside: a network server would send a refused
 * event again and again, or switch its webhook off, and nobody would look at either.
 */
import { GatewayBatch, ReceiptsBody } from '@careloop/contract'
import type { Attribution, ListedDevice } from '../../fleet/index.ts'
import { defineRoute, type PersonOrService, type Route } from '../../identity/index.ts'
import { readEnvelope } from '../decode/network-envelope.ts'
import type { DeviceIdentity, Frame, Receipt } from '../door.ts'
import { ingestFailure } from '../errors.ts'
import type { OpenIngest } from '../ingest.ts'
import { formatOf, topicOf } from '../strangers.ts'
import { answerOf, assertTaking } from './receipts.ts'

const MAX_EVENT = 256 * 1024
const MAX_BATCH = 1024 * 1024

export interface ForwardedParts {
  readonly ingest: Pick<OpenIngest, 'accept' | 'keepStranger'>
  readonly attribution: Attribution
}

/** Who brought it, when, for which organisation. */
interface Bringer {
  readonly tenant: string
  readonly token: string
  readonly receivedAt: number
}

export const forwardedRoutes = (parts: ForwardedParts): Route[] => [
  defineRoute({
    method: 'POST',
    url: '/api/v1/ingest/lorawan',
    summary: 'An event of ChirpStack v4 or a webhook of The Things Stack v3, as the network server sends it',
    description:
      'The device is found by its DevEUI. Uplinks are read by its profile; joins, acknowledgements and status are noted. An ' +
      'unknown DevEUI is answered with 202 and kept in quarantine: enrol the device with its address, then replay.',
    policy: { action: 'create', resource: 'reading' },
    bytes: { maxBytes: MAX_EVENT, maxInflatedBytes: MAX_EVENT, contentTypes: ['application/json'] },
    response: { 202: ReceiptsBody },
    async handler(ctx) {
      assertService(ctx.principal)
      assertTaking(ctx.engine)
      if (ctx.bytes.length === 0)
        throw ingestFailure('ingest-empty', 'The body is empty. Send the event of the network server as it is.')
      const by = { tenant: ctx.tenant, token: ctx.principal.id, receivedAt: ctx.engine.clock.now() }
      return ctx.reply(202, { receipts: (await answerOf([takeEvent(parts, by, ctx.bytes)])).receipts })
    },
  }),
  defineRoute({
    method: 'POST',
    url: '/api/v1/ingest/batch',
    summary: 'Messages of several devices behind one gateway, each with its own receipt, in their order',
    description:
      'Each message names its device by name or id and is otherwise what the device would send: {values}, a flat object, or the ' +
      'JSON envelope of its profile. Also answered with 202 when all were set aside: look at each receipt.',
    policy: { action: 'create', resource: 'reading' },
    body: GatewayBatch,
    maxBodyBytes: MAX_BATCH,
    response: { 202: ReceiptsBody },
    async handler(ctx) {
      assertService(ctx.principal)
      assertTaking(ctx.engine)
      const by = { tenant: ctx.tenant, token: ctx.principal.id, receivedAt: ctx.engine.clock.now() }
      const devices = await devicesOf(parts.attribution, by.tenant, ctx.body)
      const { receipts, headers } = await answerOf(
        ctx.body.messages.map((message) => takeMessage(parts, by, message, devices.get(message.device))),
      )
      return ctx.reply(202, { receipts }, { headers })
    },
  }),
]

/** People type readings one by one, with their own name on them. */
function assertService(principal: PersonOrService): void {
  if (principal.kind === 'service') return
  throw ingestFailure(
    'ingest-service-only',
    'Only a program may send for devices. Use a service token with reading:create.',
  )
}

const identityOf = (device: ListedDevice, by: Bringer): DeviceIdentity => {
  const { tenant, name, profile, classification } = device
  return { tenant, device: device.device, name, profile, classification, credential: by.token }
}

// ---------------------------------------------------------------- network servers

async function takeEvent({ ingest, attribution }: ForwardedParts, by: Bringer, bytes: Buffer): Promise<Receipt> {
  const { tenant, receivedAt } = by
  const frame = { door: 'http', format: 'profile', bytes, receivedAt } as const
  const envelope = readEnvelope(bytes)
  const { devEui = null, pointer = '', notice = null } = envelope ?? {}
  if (devEui === null)
    return ingest.keepStranger({
      ...{ tenant, door: 'http', receivedAt, frame: { format: 'profile', bytes } },
      ...{ reason: 'bad-frame', pointer },
      message:
        'This is no event of ChirpStack v4 or The Things Stack v3 that names a DevEUI. See what the webhook sends.',
    })
  const device = await attribution.addressed(tenant, devEui)
  if (!device)
    return ingest.keepStranger({
      ...{ tenant, door: 'http', receivedAt, frame: { format: 'profile', bytes } },
      ...{ reason: 'unknown-device', pointer },
      message: 'No device has this DevEUI. Enrol it with its address, then replay.',
    })
  const identity = identityOf(device, by)
  if (notice === null) return ingest.accept({ ...frame, kind: 'telemetry', device: identity })
  const told = Buffer.from(JSON.stringify({ networkEvent: notice }))
  return ingest.accept({ ...frame, kind: 'attributes', device: identity, format: 'json', bytes: told })
}

// ---------------------------------------------------------------- gateways

type Devices = ReadonlyMap<string, ListedDevice | undefined>

async function devicesOf(attribution: Attribution, tenant: string, batch: GatewayBatch): Promise<Devices> {
  const found = new Map<string, ListedDevice | undefined>()
  // One after another: a large batch of a large gateway must not take every connection to the database.
  for (const { device } of batch.messages)
    if (!found.has(device)) found.set(device, await attribution.named(tenant, device))
  return found
}

function takeMessage(
  { ingest }: ForwardedParts,
  by: Bringer,
  { device: nameOrId, ...message }: GatewayBatch['messages'][number],
  device: ListedDevice | undefined,
): Promise<Receipt> {
  const { tenant, receivedAt } = by
  const bytes = Buffer.from(JSON.stringify(message))
  const format = formatOf(message, device?.profile)
  if (!device)
    return ingest.keepStranger({
      ...{ tenant, door: 'http', receivedAt, frame: { format, bytes }, topic: topicOf(nameOrId) },
      ...{ reason: 'unknown-device', pointer: '/device' },
      message: 'No device has this name or id. Enrol it under this name, then replay.',
    })
  const frame: Frame = { kind: 'telemetry', device: identityOf(device, by), door: 'http', format, bytes, receivedAt }
  return ingest.accept(frame)
}
