/** The house that the MQTT door stands in: credentials from the fleet, frames into the flow, settings down to devices. */
import { createHash } from 'node:crypto'
import type { DeviceReported, FrameFormat } from '@careloop/contract'
import { profile } from '@careloop/profiles'
import type { Engine } from '../engine/index.ts'
import type { Fleet } from '../fleet/index.ts'
import type { Accept, DeviceIdentity } from './door.ts'
import type { Slots } from './marks/slots.ts'
import type { Hello, MqttHost, OpenedSession, Verdict } from './mqtt/host.ts'
import { quarantineEntry } from './quarantine/entry.ts'

export interface MqttHostParts {
  readonly engine: Engine
  readonly fleet: Fleet
  readonly accept: Accept
  readonly slots: Slots
}

export function makeMqttHost({ engine, fleet, accept, slots }: MqttHostParts): MqttHost {
  const report = (
    device: DeviceIdentity,
    what: DeviceReported['what'],
    attributes: DeviceReported['attributes'] = {},
  ) =>
    engine.log.append([
      {
        kind: 'device-reported',
        tenant: device.tenant,
        device: device.device,
        receivedAt: engine.clock.now(),
        what,
        attributes,
      },
    ])
  return {
    authenticate: (hello) => authenticate(fleet, hello),
    accept,
    async setAside({ frame, reason, message }) {
      await engine.log.append([quarantineEntry(frame, { reason, pointer: '', message }, engine.ids.uuid())])
    },
    async lastWill({ device, bytes }) {
      await report(device, 'last-will', { bytes: bytes.byteLength })
    },
    async opened(session) {
      await slots.load(session.device.device)
      // Not awaited: the device is not acknowledged anything by this, and a storm of connects must not wait for commits.
      report(session.device, 'connected', connectionFacts(session)).catch(() => {})
    },
    closed(session, why) {
      report(session.device, 'disconnected', { why: String(why) }).catch(() => {})
    },
    async settings(device) {
      const { version, settings } = await fleet.settings(device.tenant, device.device)
      return version === 0 ? null : { version, bytes: Buffer.from(JSON.stringify(settings)) }
    },
    onSettings: (changed) =>
      engine.db.onFacts(['DeviceSettingsChanged'], (fact) => {
        if ('device' in fact.body) changed(fact.body.device)
      }),
    settingsReached(device, version) {
      report(device, 'attributes', { settingsVersion: version }).catch(() => {})
    },
    pressure: () => engine.log.pressure(),
    refusal: () => engine.log.refusal(),
  }
}

function connectionFacts(session: OpenedSession): DeviceReported['attributes'] {
  return { door: session.door, protocol: session.protocol, resumed: session.resumed }
}

/**
 * A client certificate of our CA, or a device token as password or, as ThingsBoard firmware does, as user name. A user name
 * beside a token must be the device's own name or id.
 */
async function authenticate(fleet: Fleet, hello: Hello): Promise<Verdict> {
  const device = hello.certificate
    ? await fleet.attribution.identityByCertificate(createHash('sha256').update(hello.certificate.raw).digest())
    : await byToken(fleet, hello)
  if (!device) return { refused: 'bad-credentials' }
  return { device, format: defaultFormat(device.profile) }
}

async function byToken(fleet: Fleet, { username, password }: Hello): Promise<DeviceIdentity | null> {
  const hash = (token: string | Uint8Array) => createHash('sha256').update(token).digest()
  if (password && password.length > 0) {
    const device = await fleet.attribution.identityByTokenHash(hash(password))
    if (!device) return null
    return !username || username === device.name || username === device.device ? device : null
  }
  return username ? fleet.attribution.identityByTokenHash(hash(username)) : null
}

function defaultFormat(code: string): FrameFormat {
  return profile(code)?.formats[0] ?? 'json'
}
