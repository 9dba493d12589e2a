/** The house that the MQTT door stands in: credentials from the fleet, frames into the flow, settings down to devices. */
import { createHash } from 'node:crypto'
import type { DeviceReported, FrameFormat, LogEntry } from '@careloop/contract'
import { profile } from '@careloop/profiles'
import type { Engine } from '../engine/index.ts'
import type { Fleet } from '../fleet/index.ts'
import { allowances } from './device-allowance.ts'
import type { DeviceIdentity } from './door.ts'
import type { OpenIngest } from './ingest.ts'
import { makeLostReports } from './lost-reports.ts'
import type { Hello, LastWill, MqttHost, OpenedSession, Verdict } from './mqtt/host.ts'
import { DeviceTopics } from './mqtt/topics.ts'
import { quarantineEntry } from './quarantine/entry.ts'
import { plainAttributes } from './report-entry.ts'

export interface MqttHostParts {
  readonly engine: Engine
  readonly fleet: Fleet
  readonly ingest: Pick<OpenIngest, 'process' | 'accept' | 'slots' | 'onRevived' | 'assertMaySetAside' | 'odd'>
}

export function makeMqttHost({ engine, fleet, ingest }: MqttHostParts): MqttHost {
  const { process, accept, slots, odd } = ingest
  const append = (...entries: LogEntry[]) => engine.log.append(entries)
  const lost = makeLostReports(engine)
  const open = new Map<string, OpenedSession>()
  const now = () => engine.clock.now()
  const tellConnected = (session: OpenedSession) => {
    append(connected(session, process, now())).catch(lost('connected'))
  }
  ingest.onRevived((still) => {
    for (const session of open.values()) if (still.has(session.device.device)) tellConnected(session)
  })
  return {
    async authenticate(hello) {
      const verdict = await authenticate(fleet, hello)
      if ('refused' in verdict && verdict.refused === 'bad-credentials') odd.refused(hello.username)
      return verdict
    },
    isGood: (credential) => fleet.attribution.isGood(credential),
    accept,
    async setAside({ frame, reason, message }) {
      const { tenant, device } = frame.device
      if (reason === 'wrong-device') odd.happened(tenant, device, 'foreign-topic')
      ingest.assertMaySetAside(frame, 1)
      await append(quarantineEntry(frame, { reason, pointer: '', message }, engine.ids.uuid()))
    },
    async lastWill(will) {
      await append(...willEntries(will, process, engine.ids.uuid()))
    },
    async opened(session) {
      await slots.load(session.device.device)
      open.set(session.id, session)
      tellConnected(session)
    },
    closed(session, why) {
      open.delete(session.id)
      const { device, id: connection } = session
      if (why === 'taken-over') odd.takenOver(device.tenant, device.device)
      const entry = report(device, 'disconnected', now(), { why: String(why) })
      append({ ...entry, process, connection }).catch(lost('disconnected'))
    },
    async settings(device) {
      // Also one that subscribed while it was of another class.
      if (!allowances[device.classification].takesSettings) return null
      const { version, settings } = await fleet.settings(device.tenant, device.device)
      return version === 0 ? null : { version, bytes: Buffer.from(JSON.stringify(settings)) }
    },
    onSettings: (changed) =>
      engine.db.onFacts(['DeviceSettingsChanged'], (fact) => {
        if ('device' in fact.body) changed(fact.body.device)
      }),
    hurries: ({ tenant, device }) => odd.happened(tenant, device, 'too-much'),
    settingsReached(device, version) {
      append(report(device, 'attributes', now(), { settingsVersion: version })).catch(lost('settings-reached'))
    },
    pressure: () => engine.log.pressure(),
    refusal: () => engine.log.refusal(),
  }
}

function report(
  device: DeviceIdentity,
  what: DeviceReported['what'],
  receivedAt: number,
  attributes: DeviceReported['attributes'],
): DeviceReported {
  return { kind: 'device-reported', tenant: device.tenant, device: device.device, receivedAt, what, attributes }
}

function connected(
  { id, device, door, protocol, resumed }: OpenedSession,
  process: string,
  at: number,
): DeviceReported {
  return { ...report(device, 'connected', at, { door, protocol, resumed }), process, connection: id }
}

/**
 * A will on another topic than the device's status topic. A flat object on a topic of its own is what the device says of itself;
 * anything else is kept whole in quarantine. Either way it says that the device is gone.
 */
function willEntries(will: LastWill, process: string, id: string): LogEntry[] {
  const { device, door, topic, bytes, receivedAt } = will
  const route = new DeviceTopics(device).route(topic)
  const attributes = route === 'wrong-device' ? null : plainAttributes(bytes)
  const said = {
    ...report(device, 'last-will', receivedAt, attributes ? { ...attributes, lastWillTopic: topic } : {}),
    process,
  }
  if (attributes) return [said]
  const frame = { kind: 'status', device, door, format: 'json', bytes, receivedAt, topic } as const
  const why =
    route === 'wrong-device'
      ? { reason: route, message: 'The last will is meant for another device. Correct the topic in the firmware.' }
      : {
          reason: 'not-allowed' as const,
          message: 'The last will is no flat JSON object. Send one, or a status on devices/{id}/status.',
        }
  return [said, quarantineEntry(frame, { ...why, pointer: '' }, id)]
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
